"""A real lake for every test, and readers that make two lakes comparable."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.warehouse.world import World
from warehouse.lake import connect
from warehouse.settings import LakeSettings


@pytest.fixture
def lake(lake_settings: LakeSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty lake with its tables."""
    connection = connect(lake_settings)
    yield connection
    connection.close()


@pytest.fixture
def world() -> World:
    """A company with five employees and nothing done yet."""
    world = World()
    world.hire(5)
    return world
