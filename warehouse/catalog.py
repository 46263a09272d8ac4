"""The lake's tables as their own SQL describes them: columns, types and comments.

The scripts of `tables/` are run on an empty database in memory, so what is read here is what DuckDB
understands, and needs no lake.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb
import msgspec

TABLES = Path(__file__).with_name("tables")
VIEW = re.compile(r"^create view (\S+) as\n(.*?);$", re.DOTALL | re.MULTILINE)
# DuckDB's own get_table_names refuses a `union all by name` (1.5.5).
# DuckLake refuses comments on columns of views: a line each, or one that names a table like it.
VIEW_COLUMN = re.compile(r"^-- column (\S+)\.(\w+): (.+)$", re.MULTILINE)
VIEW_LIKE = re.compile(r"^-- columns (\S+): as (\S+)$", re.MULTILINE)
READ = re.compile(r"\b(?:from|join) (\w+\.\w+)")
RELATIONS = """
select schema_name, table_name, false as is_view, coalesce(comment, '')
from duckdb_tables()
union all
select schema_name, view_name, true, coalesce(comment, '')
from duckdb_views()
where not internal
order by all
"""
COLUMNS = """
select column_name, data_type, coalesce(comment, ''), is_nullable
from duckdb_columns()
where schema_name = $1 and table_name = $2
order by column_index
"""


class Column(msgspec.Struct, frozen=True):
    """One column; every one is described by its `comment`."""

    name: str
    data_type: str
    comment: str
    is_nullable: bool


class Table(msgspec.Struct, frozen=True):
    """One table or view. `reads` names what a view selects from, as `schema.table`."""

    schema: str
    name: str
    is_view: bool
    comment: str
    columns: list[Column]
    reads: list[str]

    @property
    def full_name(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.name}"


@cache
def read_tables() -> dict[str, Table]:
    """Every table and view of the lake by its full name."""
    scripts = [path.read_text(encoding="utf-8") for path in sorted(TABLES.glob("*.sql"))]
    views = {name: query for script in scripts for name, query in VIEW.findall(script)}
    with duckdb.connect() as connection:
        for script in scripts:
            connection.execute(script)
            _describe_views(connection, script)
        rows = connection.execute(RELATIONS).fetchall()
        tables = [_read_table(connection, views, *row) for row in rows]
    return {table.full_name: table for table in tables}


def _describe_views(connection: duckdb.DuckDBPyConnection, script: str) -> None:
    """Comment on the columns of a script's views, which DuckDB itself allows."""
    for view, table in VIEW_LIKE.findall(script):
        comments = {each.name: each.comment for each in _read_columns(connection, table)}
        for column in _read_columns(connection, view):
            _comment(connection, f"{view}.{column.name}", comments[column.name])
    for view, name, comment in VIEW_COLUMN.findall(script):
        _comment(connection, f"{view}.{name}", comment)


def _comment(connection: duckdb.DuckDBPyConnection, column: str, comment: str) -> None:
    words = comment.replace("'", "''")
    connection.execute(f"comment on column {column} is '{words}'")


def _read_table(
    connection: duckdb.DuckDBPyConnection,
    views: Mapping[str, str],
    schema: str,
    name: str,
    is_view: bool,
    comment: str,
) -> Table:
    full_name = f"{schema}.{name}"
    reads = sorted({*READ.findall(views[full_name])}) if is_view else []
    columns = _read_columns(connection, full_name)
    return Table(schema, name, is_view, comment, columns, reads)


def _read_columns(connection: duckdb.DuckDBPyConnection, full_name: str) -> list[Column]:
    rows = connection.execute(COLUMNS, full_name.split(".")).fetchall()
    return [Column(*row) for row in rows]


def count_rows(connection: duckdb.DuckDBPyConnection, full_name: str) -> int:
    """Rows of a table or view as of now; for tables DuckLake knows without reading them."""
    assert full_name in read_tables(), full_name
    row = connection.execute(f"select count(*) from lake.{full_name}").fetchone()  # noqa: S608 - a name of ours
    assert row is not None, "an aggregate always has a row"
    return int(row[0])
