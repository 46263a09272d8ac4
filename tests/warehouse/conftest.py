"""A real lake for every test, and readers that make two lakes comparable."""

import contextlib
from collections.abc import Iterator

import duckdb
import pytest
from psycopg2 import sql

from ates.embedded.postgres import ROLE, PostgresServer
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


def recreate(server: PostgresServer, name: str, template: str) -> None:
    """A database made anew as a copy of another; for whom a test's own ends too early."""
    with contextlib.closing(server.connect_as_superuser()) as connection:
        cursor = connection.cursor()
        for statement in (
            "drop database if exists {name} with (force)",
            "create database {name} owner {role} template {template}",
        ):
            cursor.execute(sql.SQL(statement).format(
                name=sql.Identifier(name), role=sql.Identifier(ROLE),
                template=sql.Identifier(template),
            ))  # fmt: skip
