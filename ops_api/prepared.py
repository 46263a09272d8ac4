"""Statements that run all day long: a database session parses and plans each of them once.

PostgreSQL keeps a prepared statement until its session ends, whatever becomes of the transaction.
A pooler that hands one session to several programs in turn would not do.
"""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult

_PARAMETER = re.compile(r"(?<!:):(\w+)")
_KNOWN = "prepared"


class Prepared:
    """One statement by its name, with parameters as `:name`; `before` is sent ahead of each run.

    PostgreSQL takes a parameter's type from its place; where that says nothing, cast it.
    """

    def __init__(self, name: str, sql: str, *, before: str = "") -> None:
        names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        places = {each: f"${number}" for number, each in enumerate(names, 1)}
        self.name = name
        self.preparation = f"prepare {name} as {_PARAMETER.sub(lambda at: places[at[1]], sql)}"
        self.call = f"{before}execute {name}({', '.join(f'%({each})s' for each in names)})"

    def execute(
        self, connection: Connection, parameters: Mapping[str, object]
    ) -> CursorResult[Any]:
        """Run it by itself."""
        return execute_together(connection, parameters, self)


def execute_together(
    connection: Connection,
    parameters: Mapping[str, object],
    *statements: Prepared,
    is_last: bool = False,
) -> CursorResult[Any]:
    """Run one after the other in a single round trip; what the last one answers.

    What `is_last` takes the commit with it (see `ops_api.driver`) and answers nothing.
    """
    known: set[str] = connection.info.setdefault(_KNOWN, set())
    for each in statements:
        if each.name not in known:
            connection.exec_driver_sql(each.preparation)
            known.add(each.name)
    calls = [*(each.call for each in statements), *(["commit"] if is_last else [])]
    return connection.exec_driver_sql(";".join(calls), dict(parameters))
