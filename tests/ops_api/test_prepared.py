"""Prepared statements: planned once by a database session, whatever its transactions come to."""

import pytest
import sqlalchemy as sa

from ops_api.prepared import Prepared, execute_together
from tests.ops_api.conftest import World

ADD = Prepared("test_add", "select cast(:left as int) + cast(:right as int) + :left::int as total")
COUNT_UP = Prepared(
    "test_count_up", "update log_head set last_position = last_position + :step", before="select 1;"
)
PREPARED = "select array_agg(name order by name) from pg_prepared_statements where name ~ '^test'"


def test_a_parameter_is_given_once_however_often_it_stands_in_the_statement(world: World) -> None:
    with world.engine.begin() as connection:
        assert ADD.execute(connection, {"left": 2, "right": 3, "more": None}).one().total == 7


def test_statements_that_go_together_share_a_round_trip_and_the_last_one_answers(
    world: World,
) -> None:
    parameters = {"left": 1, "right": 1, "step": 5}
    with world.engine.begin() as connection, world.statements() as sent:
        for _ in range(2):
            done = execute_together(connection, parameters, ADD, COUNT_UP)

    assert done.rowcount == 1
    assert [statement.split()[0] for statement in sent] == ["prepare", "prepare"] + 2 * ["execute"]
    assert world.one("select last_position from log_head") == 10


def test_a_statement_stays_prepared_when_its_transaction_is_rolled_back(world: World) -> None:
    with world.engine.connect() as connection:
        pid = connection.scalar(sa.text("select pg_backend_pid()"))
        COUNT_UP.execute(connection, {"step": 1})
        with pytest.raises(sa.exc.DBAPIError):
            ADD.execute(connection, {"left": "x", "right": 1})
        connection.rollback()

        assert connection.scalar(sa.text("select pg_backend_pid()")) == pid
        assert connection.scalar(sa.text(PREPARED)) == ["test_add", "test_count_up"]
        assert ADD.execute(connection, {"left": 1, "right": 1}).one().total == 3

    assert world.one("select last_position from log_head") == 0
