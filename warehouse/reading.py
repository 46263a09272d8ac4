"""What every read for people shares: who asks, one snapshot, rows as structs, and which day it is.

Rights are enforced here, where the data is, and not by menus: a read function names who may ask
before it runs its first query. Reads never write; amounts are integer cents.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import UUID

import duckdb
import msgspec

Role = Literal["worker", "manager", "accountant", "admin"]
EVERYBODY: frozenset[Role] = frozenset({"worker", "manager", "accountant", "admin"})
MANAGEMENT: frozenset[Role] = frozenset({"accountant", "admin"})
ADMINS: frozenset[Role] = frozenset({"admin"})
QUERIES = Path(__file__).with_name("queries")
S = TypeVar("S", bound=msgspec.Struct)


class Reader(msgspec.Struct, frozen=True):
    """On whose behalf a read happens; without an employee id nobody's own account is theirs."""

    role: Role
    employee_id: UUID | None = None


# Whoever runs commands on the machine itself holds the keys to everything anyway.
OPERATOR = Reader(role="admin")


class ReadRefusedError(PermissionError):
    """The reader has no right to what was asked for."""


class LakeState(msgspec.Struct, frozen=True):
    """How far the lake is; the dates are None until there is such a day.

    `first_date` is the first day with an entry or a certificate, so never after the other two.
    """

    contiguous_position: int
    last_position: int
    committed_at: dt.datetime
    first_date: dt.date | None
    closed_through: dt.date | None
    paid_through: dt.date | None

    def today(self, local_date: dt.date) -> dt.date:
        """The business day that runs now, as the tracker counts it.

        It is the local date, or the day after the last closed one if that is later.
        """
        if self.closed_through is None:
            return local_date
        return max(local_date, self.closed_through + dt.timedelta(days=1))


def require_role(reader: Reader, roles: frozenset[Role]) -> None:
    """Raise ReadRefusedError unless the reader has one of the roles."""
    if reader.role not in roles:
        raise ReadRefusedError(f"not for the role {reader.role}")


def require_self(reader: Reader, employee_id: UUID) -> None:
    """Raise ReadRefusedError unless the account is the reader's own."""
    if reader.employee_id != employee_id:
        raise ReadRefusedError("an account is its owner's alone")


@contextlib.contextmanager
def snapshot(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction that only reads: every query in it sees the same lake."""
    connection.begin()
    try:
        yield
    finally:
        connection.rollback()


def rows(
    connection: duckdb.DuckDBPyConnection, kind: type[S], query: str, **values: Any
) -> list[S]:
    """The rows of a file of `queries`, its columns in the order of the struct's fields."""
    return [kind(*row) for row in connection.execute(text_of(query), values or None).fetchall()]


@cache
def text_of(query: str) -> str:
    """A file of `queries`, without `.sql` in its name."""
    return (QUERIES / f"{query}.sql").read_text(encoding="utf-8")


def read_lake_state(connection: duckdb.DuckDBPyConnection) -> LakeState:
    """How far the lake is; anybody may know that."""
    [state] = rows(connection, LakeState, "lake_state")
    return state


def read_closed_days(
    connection: duckdb.DuckDBPyConnection, first: dt.date, last: dt.date
) -> frozenset[dt.date]:
    """Those of the days from the first to the last that are closed; anybody may know that."""
    values = {"first": first, "last": last}
    found = connection.execute(text_of("closed_days"), values).fetchall()
    return frozenset(day for (day,) in found)


def read_snapshot_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the newest snapshot: the same number, the same lake."""
    found = connection.execute("select id from ducklake_current_snapshot('lake')").fetchone()
    assert found is not None, "a lake has a snapshot from its creation on"
    number: int = found[0]
    return number
