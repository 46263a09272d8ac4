"""What is tried again, what is not, and how often."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, text

from ops_api.unit_of_work import ATTEMPTS_MAX, in_transaction
from tests.ops_api.conftest import World

DIE = text("select pg_terminate_backend(pg_backend_pid())")
COUNT_UP = text("update log_head set last_position = last_position + 1")


def test_two_that_lock_crosswise_both_get_through(world: World) -> None:
    names = [world.employee().employee_id for _ in range(2)]
    barrier = threading.Barrier(2, timeout=20)
    change = text("update employees set name = name || '+' where employee_id = :employee_id")

    def cross(first: int) -> int:
        runs = 0

        def work(connection: Connection) -> None:
            nonlocal runs
            runs += 1
            connection.execute(change, {"employee_id": names[first]})
            if runs == 1:
                barrier.wait()
            connection.execute(change, {"employee_id": names[1 - first]})

        in_transaction(world.engine, work)
        return runs

    with ThreadPoolExecutor(2) as pool:
        runs = sorted(pool.map(cross, range(2)))

    assert runs == [1, 2]
    assert world.one("select count(*) from employees where name like '%++'") == 2


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_failure_that_may_pass_is_tried_a_few_times_and_no_more(world: World, state: str) -> None:
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(COUNT_UP)
        connection.execute(text(f"do $$ begin raise exception 'x' using errcode='{state}'; end $$"))

    with pytest.raises(sa.exc.OperationalError):
        in_transaction(world.engine, work)

    assert runs == ATTEMPTS_MAX
    assert world.one("select last_position from log_head") == 0


def test_a_connection_lost_before_the_commit_is_replaced(world: World) -> None:
    runs = 0

    def work(connection: Connection) -> int:
        nonlocal runs
        runs += 1
        connection.execute(COUNT_UP)
        if runs == 1:
            connection.execute(DIE)
        return runs

    assert in_transaction(world.engine, work) == 2
    assert world.one("select last_position from log_head") == 1


def test_a_connection_lost_at_the_commit_is_reported_for_nobody_knows(world: World) -> None:
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        pid = connection.execute(text("select pg_backend_pid()")).scalar()
        world.one("select pg_terminate_backend(:pid, 5000)", pid=pid)

    with pytest.raises(sa.exc.OperationalError):
        in_transaction(world.engine, work)

    assert runs == 1


def test_what_will_not_pass_is_not_tried_again(world: World) -> None:
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(COUNT_UP)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_transaction(world.engine, work)

    assert runs == 1
    assert world.one("select last_position from log_head") == 0
