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
    """One column; `comment` is empty where its name says enough."""

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
        rows = connection.execute(RELATIONS).fetchall()
        tables = [_read_table(connection, views, *row) for row in rows]
    return {table.full_name: table for table in tables}


def _read_table(
    connection: duckdb.DuckDBPyConnection,
    views: Mapping[str, str],
    schema: str,
    name: str,
    is_view: bool,
    comment: str,
) -> Table:
    columns = connection.execute(COLUMNS, [schema, name]).fetchall()
    query = views[f"{schema}.{name}"] if is_view else ""
    reads = sorted({*READ.findall(query)})
    return Table(schema, name, is_view, comment, [Column(*each) for each in columns], reads)


def count_rows(connection: duckdb.DuckDBPyConnection, full_name: str) -> int:
    """Rows of a table or view as of now; for tables DuckLake knows without reading them."""
    assert full_name in read_tables(), full_name
    row = connection.execute(f"select count(*) from lake.{full_name}").fetchone()  # noqa: S608 - a name of ours
    assert row is not None, "an aggregate always has a row"
    return int(row[0])
