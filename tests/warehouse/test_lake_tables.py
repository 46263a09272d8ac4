"""The list of the lake's tables is complete and fits them."""

import duckdb

from warehouse.lake_tables import FOLDED, REWRITTEN, TABLES
from warehouse.models import model


def test_every_table_of_a_new_lake_is_listed_once(lake: duckdb.DuckDBPyConnection) -> None:
    found = lake.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'lake'"
    ).fetchall()

    assert sorted(each.full_name for each in TABLES) == sorted(row[0] for row in found)


def test_every_table_says_what_it_means(lake: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES:
        if table.meaning is None:
            continue
        columns = [each[0] for each in lake.execute(table.meaning.format("lake")).description or ()]
        assert table.days in (None, *columns), table.full_name


def test_every_folded_table_has_its_fold() -> None:
    for table in (*FOLDED, *REWRITTEN):
        assert model(f"fold_{table.name}").startswith("-- ")
