"""BEGIN and COMMIT that travel with statements are as good as those that travel alone."""

import io

import pytest
import sqlalchemy as sa
from psycopg2 import extensions, sql

from tests.ops_api.conftest import World

RAISE = "update log_head set last_position = last_position + 1"
IMPOSSIBLE = "update log_head set last_position = null"
POSITION = "select last_position from log_head"


def status(connection: sa.Connection) -> int:
    driver = connection.connection.driver_connection
    assert isinstance(driver, extensions.connection)
    return driver.get_transaction_status()


def test_a_transaction_is_open_from_its_first_statement_to_its_end(world: World) -> None:
    with world.engine.connect() as connection:
        assert status(connection) == extensions.TRANSACTION_STATUS_IDLE
        connection.exec_driver_sql(RAISE)
        assert status(connection) == extensions.TRANSACTION_STATUS_INTRANS
        connection.rollback()
        assert status(connection) == extensions.TRANSACTION_STATUS_IDLE
        connection.exec_driver_sql(RAISE)
        connection.commit()

    assert world.one(POSITION) == 1


def test_a_commit_in_the_last_statement_keeps_what_was_before_it(world: World) -> None:
    with world.engine.connect() as connection:
        connection.exec_driver_sql(RAISE)
        connection.exec_driver_sql(f"{RAISE};commit")
        connection.exec_driver_sql(RAISE)  # begins anew
        connection.rollback()

    assert world.one(POSITION) == 2


def test_a_last_statement_that_fails_commits_nothing(world: World) -> None:
    with world.engine.connect() as connection:
        connection.exec_driver_sql(RAISE)
        with pytest.raises(sa.exc.IntegrityError):
            connection.exec_driver_sql(f"{RAISE};{IMPOSSIBLE};commit")
        connection.rollback()
        assert connection.exec_driver_sql(POSITION).scalar_one() == 0


def test_what_runs_outside_of_transactions_may_and_the_next_one_has_one_again(world: World) -> None:
    with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum log_head")
        assert status(connection) == extensions.TRANSACTION_STATUS_IDLE
    with world.engine.connect() as connection:
        connection.exec_driver_sql(RAISE)
        connection.rollback()

    assert world.one(POSITION) == 0


@pytest.mark.parametrize("way", ["bytes", "composed", "many", "copy"])
def test_whatever_comes_first_can_be_undone(world: World, way: str) -> None:
    with world.engine.connect() as connection:
        cursor = connection.connection.cursor()
        match way:
            case "bytes":
                cursor.execute(RAISE.encode())
            case "composed":
                cursor.execute(sql.SQL(RAISE))
            case "many":
                cursor.executemany("update log_head set last_position = %s", [(1,), (2,)])
            case "copy":
                columns = "idempotency_keys (actor, key, request_hash, status, body, created_at)"
                row = "a\tk\t\\\\x" + "00" * 32 + "\t200\t{}\t2026-01-01\n"
                cursor.copy_expert(f"copy {columns} from stdin", io.StringIO(row))
        connection.rollback()

    assert world.one(POSITION) == 0
    assert world.one("select count(*) from idempotency_keys") == 0
