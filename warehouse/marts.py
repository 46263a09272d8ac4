"""Marts for analysts: one SELECT each, with its grain, its columns and what must hold of every row.

They are views, so they are never stale and never disagree with the ledger. `marts/NAME.sql` is the
query, `marts/NAME.toml` says what it means.
"""

import tomllib
from functools import cache
from pathlib import Path

import duckdb
import msgspec

FOLDER = Path(__file__).with_name("marts")


class Mart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One mart; `grain` are the columns that name a row, `tests` conditions true for every row."""

    name: str
    sql: str
    description: str
    grain: list[str]
    sources: list[str]
    columns: dict[str, str]
    tests: dict[str, str]


class MartFinding(msgspec.Struct, frozen=True):
    """What one test of a mart found: it holds when no row offends."""

    test: str
    count_offending: int


@cache
def read_marts() -> tuple[Mart, ...]:
    """Every mart, by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.sql")))


def create_marts(connection: duckdb.DuckDBPyConnection) -> None:
    """Write every view and its descriptions, within the caller's transaction."""
    for mart in read_marts():
        connection.execute(f"create or replace view marts.{mart.name} as {mart.sql}")
        connection.execute(f"comment on view marts.{mart.name} is {_quote(mart.description)}")


def create_missing_marts(connection: duckdb.DuckDBPyConnection) -> None:
    """The same, if one of them does not exist."""
    rows = connection.execute(
        "select view_name from duckdb_views() where database_name = 'lake'"
        " and schema_name = 'marts'"
    ).fetchall()
    if {mart.name for mart in read_marts()} - {row[0] for row in rows}:
        create_marts(connection)


def count_rows(connection: duckdb.DuckDBPyConnection, mart: Mart) -> int:
    """How many rows a mart has now."""
    row = connection.execute(f"select count(*) from lake.marts.{mart.name}").fetchone()  # noqa: S608 - ours
    assert row is not None, "an aggregate always has a row"
    return int(row[0])


def check_mart(connection: duckdb.DuckDBPyConnection, mart: Mart) -> list[MartFinding]:
    """Run a mart's tests: a row is named by its grain, and every condition holds."""
    grain = ", ".join(mart.grain)
    nameless = " or ".join(f"{column} is null" for column in mart.grain)
    queries = {
        "a row is named by its grain": (
            f"select 1 from lake.marts.{mart.name} group by {grain} having count(*) > 1 or {nameless}"  # noqa: S608, E501 - ours
        ),
        **{
            test: f"select 1 from lake.marts.{mart.name} where ({condition}) is distinct from true"  # noqa: S608 - ours
            for test, condition in mart.tests.items()
        },
    }
    return [
        MartFinding(test, len(connection.execute(query).fetchall()))
        for test, query in queries.items()
    ]


def _read(path: Path) -> Mart:
    facts = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
    return msgspec.convert({"name": path.stem, "sql": path.read_text("utf-8"), **facts}, Mart)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
