"""A change that is decided and not yet written, so that other writes may travel with it.

Each statement sent is a round trip in which the locks are held. Within the same transaction nothing
else may come between plan and writing.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import Connection, CursorResult, TextClause, text

STATEMENTS_KEPT_MAX = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Planned(Generic[T]):
    """What will be true once the statement is written; an empty one has nothing to write."""

    result: T
    statement: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)

    def write(self, connection: Connection) -> T:
        """Write it by itself."""
        if self.statement:
            connection.execute(_text(self.statement), self.parameters)
        return self.result

    def write_with(
        self, connection: Connection, statement: str, parameters: Mapping[str, object]
    ) -> CursorResult[tuple[object, ...]]:
        """Write it and another statement in one round trip; what the other one answers."""
        both = f"{self.statement};{statement}" if self.statement else statement
        return connection.execute(_text(both), {**self.parameters, **parameters})


@functools.lru_cache(maxsize=STATEMENTS_KEPT_MAX)
def _text(statement: str) -> TextClause:
    return text(statement)
