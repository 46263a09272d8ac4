"""A change that is decided and not yet written, so that other writes may travel with it.

Each statement sent is a round trip in which the locks are held. Within the same transaction nothing
else may come between plan and writing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import Connection

from ops_api.prepared import Prepared, execute_together

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Planned(Generic[T]):
    """What will be true once the statement is written; without one there is nothing to write."""

    result: T
    statement: Prepared | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def write(self, connection: Connection) -> T:
        """Write it by itself."""
        if self.statement:
            self.statement.execute(connection, self.parameters)
        return self.result

    def commit_with(
        self, connection: Connection, statement: Prepared, parameters: Mapping[str, object]
    ) -> T:
        """Write it and another statement and end the transaction, all in one round trip."""
        both = (self.statement, statement) if self.statement else (statement,)
        execute_together(connection, {**self.parameters, **parameters}, *both, is_last=True)
        return self.result
