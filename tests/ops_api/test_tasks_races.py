"""Rivals on the same tasks, with real threads on a real database."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from contracts.events import TaskAssignedV1, TaskCompletedV1
from ops_api.employees.commands import Changes, change_employee
from ops_api.errors import ConflictError
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.reassign import reassign_open_tasks
from tests.ops_api.conftest import World

FEES_AND_REWARDS_ONCE = """
select count(*) from tasks where
    assignment_number <> (
        select count(*) from event_log
        where subject = task_id::text and type = 'task.assigned' and fee_cents = tasks.fee_cents
    )
    or (status = 'done')::int <> (
        select count(*) from event_log
        where subject = task_id::text and type = 'task.completed'
        and reward_cents = tasks.reward_cents
    )
"""


def test_a_completion_that_waits_for_a_reassignment_sees_its_outcome(world: World) -> None:
    worker = world.employee().employee_id
    task = world.run(create_task, worker, title="Sweep")
    world.employee()

    with ThreadPoolExecutor(1) as pool, world.engine.connect() as connection:
        transaction = connection.begin()
        change_employee(
            connection, world.context(), employee_id=worker, changes=Changes(is_active=False)
        )
        waiting = pool.submit(world.run, complete_task, worker, task_id=task.task_id)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        transaction.commit()
        with pytest.raises(ConflictError):
            waiting.result(timeout=10)


def test_completing_races_reassigning_without_a_double_or_a_deadlock(world: World) -> None:
    workers = [world.employee().employee_id for _ in range(3)]
    tasks = [world.run(create_task, workers[0], title=f"{n}").task_id for n in range(40)]
    stop = threading.Event()

    def press_reassign() -> int:
        presses = 0
        while not stop.is_set():
            world.run(reassign_open_tasks)
            presses += 1
        return presses

    def complete_all(employee_id: UUID) -> int:
        completed = 0
        for task_id in tasks:
            try:
                world.run(complete_task, employee_id, task_id=task_id)
            except ConflictError:
                continue
            completed += 1
        return completed

    with ThreadPoolExecutor(8) as pool:
        managers = [pool.submit(press_reassign) for _ in range(2)]
        runs = [pool.submit(complete_all, each) for each in workers * 2]
        done = [run.result() for run in runs]
        stop.set()
        presses = sum(manager.result() for manager in managers)

    events = world.log()
    completions = [data for _, _, data in events if isinstance(data, TaskCompletedV1)]
    assert presses > 2
    assert sum(done) >= len(completions) > 0  # a repeat by the same person counts in `done` only
    assert len({data.task_id for data in completions}) == len(completions)
    assert world.one(FEES_AND_REWARDS_ONCE) == 0
    for completion in completions:
        assignments = [
            data for _, _, data in events
            if isinstance(data, TaskAssignedV1) and data.task_id == completion.task_id
        ]  # fmt: skip
        assert assignments[-1].assignee_id == completion.employee_id


def test_the_same_task_completed_by_many_threads_is_paid_once(world: World) -> None:
    worker = world.employee()
    task = world.run(create_task, worker.employee_id, title="Sweep")

    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(
                lambda _: world.run(complete_task, worker.employee_id, task_id=task.task_id),
                range(10),
            )
        )

    assert len({answer.version for answer in answers}) == 1
    assert world.one("select count(*) from outbox where type = 'task.completed'") == 1


def test_nobody_is_drawn_who_leaves_at_the_same_moment(world: World) -> None:
    stayer = world.employee().employee_id
    leavers = [world.employee().employee_id for _ in range(6)]
    stop = threading.Event()

    def keep_creating() -> None:
        while not stop.is_set():
            world.run(create_task, stayer, title="Sweep")

    with ThreadPoolExecutor(6) as pool:
        creators = [pool.submit(keep_creating) for _ in range(4)]
        for leaver in leavers:
            world.run(change_employee, employee_id=leaver, changes=Changes(is_active=False))
        stop.set()
        for creator in creators:
            creator.result()

    with world.engine.connect() as connection:
        holders = set(
            connection.scalars(text("select assignee_id from tasks where status = 'open'"))
        )
    assert holders == {stayer}
    world.log()
    assert world.one(FEES_AND_REWARDS_ONCE) == 0
