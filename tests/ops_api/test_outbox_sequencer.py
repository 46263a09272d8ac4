"""From outbox to event log: every committed event once, without holes, in its subject's order."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from sqlalchemy import Connection, text

from ops_api.outbox.models import EVENT_COLUMNS
from ops_api.outbox.sequencer import move_all, move_committed
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.reassign import reassign_open_tasks
from tests.ops_api.conftest import World

COLUMNS = ", ".join(EVENT_COLUMNS)


@contextmanager
def open_transaction(world: World) -> Iterator[Connection]:
    with world.engine.connect() as connection, connection.begin():
        yield connection


def positions(world: World) -> list[int]:
    with world.engine.connect() as connection:
        return list(connection.scalars(text("select position from event_log order by position")))


def move(world: World, limit: int = 5000) -> int:
    with world.engine.begin() as connection:
        return move_committed(connection, limit)


def test_a_row_keeps_every_column_and_every_byte(world: World) -> None:
    worker = world.employee()
    world.run(create_task, worker.employee_id, title='Say "hi" 🦜')
    with world.engine.connect() as connection:
        before = connection.execute(text(f"select {COLUMNS} from outbox order by outbox_id")).all()

    assert move(world) == 3

    with world.engine.connect() as connection:
        after = connection.execute(text(f"select {COLUMNS} from event_log order by position")).all()
    assert after == before
    assert world.one("select count(*) from outbox") == 0
    assert world.one("select last_position from log_head") == 3


def test_nothing_committed_moves_nothing(world: World) -> None:
    assert move(world) == 0
    assert world.one("select last_position from log_head") == 0


def test_statistics_of_an_empty_outbox_do_not_make_it_slow(world: World) -> None:
    """As after any quiet minute: autovacuum saw the outbox empty, then a bulk command comes."""
    fill = text("""
        insert into outbox (event_id, type, version, topic, subject, sequence, occurred_at,
                            business_date, correlation_id, body)
        select uuidv7(), 'task.assigned', 1, 'tasks', :turn || i::text, 1, now(), current_date,
               uuidv7(), repeat('x', 300)
        from generate_series(1, 30000) as i""")
    with world.engine.begin() as connection:
        connection.execute(fill, {"turn": "a"})
        move_all(connection)
    with world.engine.begin() as connection:
        connection.execute(text("analyze outbox"))
        connection.execute(fill, {"turn": "b"})

    with world.engine.begin() as connection:
        connection.execute(text("set local statement_timeout = '10s'"))  # it took minutes
        assert move_all(connection) == 30_000


def test_a_limit_moves_the_oldest_first(world: World) -> None:
    for _ in range(5):
        world.employee()

    assert [move(world, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert positions(world) == [1, 2, 3, 4, 5]


def test_a_late_commit_is_moved_later_and_never_lost(world: World) -> None:
    worker = world.employee()
    with open_transaction(world) as late:
        early_id = create_task(late, world.context(worker.employee_id), title="Late").task_id
        world.run(create_task, worker.employee_id, title="Early")
        assert move(world) == 3

    assert move(world) == 2
    assert positions(world) == [1, 2, 3, 4, 5]
    last = "select subject from event_log where position = 5"
    assert world.one(last) == str(early_id)


def test_a_rolled_back_event_is_never_seen_and_leaves_no_hole(world: World) -> None:
    worker = world.employee()
    with world.engine.connect() as connection:
        transaction = connection.begin()
        create_task(connection, world.context(worker.employee_id), title="Never")
        transaction.rollback()
    world.run(create_task, worker.employee_id, title="Real")

    move(world)

    assert positions(world) == [1, 2, 3]
    assert world.one("select count(*) from event_log where body like '%Never%'") == 0


def test_a_move_that_is_rolled_back_is_done_again_with_the_same_positions(world: World) -> None:
    world.employee()
    with world.engine.connect() as connection:
        transaction = connection.begin()
        assert move_committed(connection) == 1
        transaction.rollback()

    assert move(world) == 1
    assert positions(world) == [1]


def test_a_writer_sees_its_own_events_moved(world: World) -> None:
    worker = world.employee()
    with open_transaction(world) as connection:
        create_task(connection, world.context(worker.employee_id), title="Own")
        assert move_all(connection) == 3

    assert positions(world) == [1, 2, 3]


def test_two_movers_at_once_leave_no_hole_and_no_double(world: World) -> None:
    for _ in range(40):
        world.employee()

    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda _: move(world, limit=7), range(12)))

    assert sum(moved) == 40
    assert positions(world) == list(range(1, 41))


def test_under_writers_movers_and_reassignments_each_task_s_events_keep_their_order(
    world: World,
) -> None:
    workers = [world.employee() for _ in range(3)]
    stop = threading.Event()

    def keep_moving() -> None:
        while not stop.is_set():
            move(world, limit=5)

    def create_and_complete(number: int) -> None:
        for step in range(12):
            created = world.run(create_task, workers[0].employee_id, title=f"{number}/{step}")
            holder = world.one(
                "select assignee_id from tasks where task_id = :id", id=created.task_id
            )
            if step % 3 == 0:
                _try_to_complete(world, holder, created.task_id)
            if step % 4 == number % 4:
                world.run(reassign_open_tasks)

    with ThreadPoolExecutor(10) as pool:
        movers = [pool.submit(keep_moving) for _ in range(2)]
        writers = [pool.submit(create_and_complete, number) for number in range(6)]
        for writer in writers:
            writer.result()
        stop.set()
        for mover in movers:
            mover.result()
    move(world)

    assert world.one("select count(*) from outbox") == 0
    found = positions(world)
    assert found == list(range(1, len(found) + 1))
    out_of_order = """
        select count(*) from (
            select sequence - row_number() over (partition by subject order by position) as gap
            from event_log
        ) where gap <> 0
    """
    assert world.one(out_of_order) == 0
    wrong_version = """
        select count(*) from tasks where version <> (
            select max(sequence) from event_log where subject = task_id::text
        )
    """
    assert world.one(wrong_version) == 0


def test_an_idle_move_is_cheap(world: World) -> None:
    started = time.process_time()
    for _ in range(20):
        move(world)

    assert time.process_time() - started < 1


def _try_to_complete(world: World, employee_id: object, task_id: object) -> None:
    from ops_api.errors import ConflictError

    try:
        world.run(complete_task, employee_id, task_id=task_id)  # type: ignore[arg-type]
    except ConflictError:
        assert world.one("select count(*) from tasks where task_id = :id", id=task_id) == 1
