"""The lake's tables as their own SQL describes them: columns, types and comments.

The scripts of `tables/` are run on an empty database in memory, so what is read here is what DuckDB
understands, and needs no lake.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import duckdb
import msgspec

TABLES = Path(__file__).with_name("tables")
VIEW = re.compile(r"^create view (\S+) as\n(.*?);$", re.DOTALL | re.MULTILINE)
# DuckLake refuses comments on columns of views: a line each, or one that names a table like it.
VIEW_COLUMN = re.compile(r"^-- column (\S+)\.(\w+): (.+)$", re.MULTILINE)
VIEW_LIKE = re.compile(r"^-- columns (\S+): as (\S+)$", re.MULTILINE)
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
select schema_name, table_name, column_name, data_type, coalesce(comment, ''), is_nullable
from duckdb_columns()
where not internal
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
    text = "\n".join(scripts)
    views = dict(VIEW.findall(text))
    with duckdb.connect() as connection:
        for script in scripts:
            connection.execute(script)
        columns = _read_columns(connection, text)
        tables = [
            Table(
                schema, name, is_view, comment, columns[schema, name], _reads(views, schema, name)
            )
            for schema, name, is_view, comment in connection.execute(RELATIONS).fetchall()
        ]
    return {table.full_name: table for table in tables}


def _read_columns(
    connection: duckdb.DuckDBPyConnection, text: str
) -> dict[tuple[str, str], list[Column]]:
    """The columns of each schema and name; those of views with the comments that `text` gives."""
    rows = connection.execute(COLUMNS).fetchall()
    said = {(f"{schema}.{table}", name): words for schema, table, name, _, words, _ in rows}
    likes = dict(VIEW_LIKE.findall(text))
    said |= {(view, name): words for view, name, words in VIEW_COLUMN.findall(text)}
    found: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for schema, table, name, data_type, _, is_nullable in rows:
        full_name = f"{schema}.{table}"
        comment = said.get((likes.get(full_name, full_name), name), "")
        found[schema, table].append(Column(name, data_type, comment, is_nullable))
    return found


def _reads(views: Mapping[str, str], schema: str, name: str) -> list[str]:
    return sorted({*READ.findall(views.get(f"{schema}.{name}", ""))})


def count_rows(connection: duckdb.DuckDBPyConnection, full_name: str) -> int:
    """Rows of a table or view as of now; for tables DuckLake knows without reading them."""
    assert full_name in read_tables(), full_name
    row = connection.execute(f"select count(*) from lake.{full_name}").fetchone()  # noqa: S608 - a name of ours
    assert row is not None, "an aggregate always has a row"
    return int(row[0])
