"""Creating and completing tasks on a real database."""

import datetime as dt
from collections import Counter
from uuid import UUID, uuid4

import pytest

from contracts.events import TaskAssignedV1, TaskCompletedV1, TaskCreatedV2
from ops_api.employees.commands import Changes, change_employee
from ops_api.errors import ConflictError, NotFoundError, UnacceptableError
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.queries import find_task
from ops_api.tasks.reassign import reassign_open_tasks
from tests.ops_api.conftest import MONDAY_NOON, World


def test_a_new_task_is_created_and_at_once_assigned_and_charged(world: World) -> None:
    worker, manager = world.employee(), world.employee("manager")

    task = world.run(
        create_task, manager.employee_id, title=" [popug-12] \N{EN DASH} Say “hi” \\ now "
    )

    (_, created, created_data), (_, assigned, assigned_data) = world.log()[-2:]
    assert created_data == TaskCreatedV2(
        task_id=task.task_id,
        title="Say “hi” \\ now",
        jira_id="POPUG-12",
        fee_cents=task.fee_cents,
        reward_cents=task.reward_cents,
        created_by=manager.employee_id,
    )
    assert assigned_data == TaskAssignedV1(
        task_id=task.task_id,
        assignee_id=worker.employee_id,
        assignment_number=1,
        fee_cents=task.fee_cents,
        title="Say “hi” \\ now",
    )
    assert (created.sequence, assigned.sequence) == (1, 2)
    assert created.correlationid == assigned.correlationid
    assert created.time == assigned.time == MONDAY_NOON
    assert created.businessdate == dt.date(2026, 3, 2)


def test_the_stored_task_is_the_returned_one(world: World) -> None:
    worker = world.employee()
    task = world.run(create_task, worker.employee_id, title="Sweep")

    assert world.run(lambda connection, _: find_task(connection, task.task_id)) == task


def test_fee_and_reward_stand_in_columns_beside_the_events(world: World) -> None:
    worker = world.employee()
    task = world.run(create_task, worker.employee_id, title="Sweep")
    world.run(complete_task, worker.employee_id, task_id=task.task_id)
    world.log()

    sums = "select sum({}_cents) from event_log where type = 'task.{}'"
    assert world.one(sums.format("fee", "assigned")) == task.fee_cents
    assert world.one(sums.format("reward", "completed")) == task.reward_cents
    assert world.one("select sum(fee_cents + reward_cents) from event_log") == (
        task.fee_cents + task.reward_cents
    )


def test_every_assignable_employee_is_drawn_and_nobody_else(world: World) -> None:
    drawable = {world.employee(role).employee_id for role in ("worker", "worker", "accountant")}
    creator = world.employee("admin").employee_id
    world.employee("manager")
    leaver = world.employee().employee_id
    world.run(change_employee, employee_id=leaver, changes=Changes(is_active=False))

    drawn = Counter(world.run(create_task, creator, title="Sweep").assignee_id for _ in range(150))

    assert set(drawn) == drawable
    assert min(drawn.values()) > 25  # about 50 each; the seed is fixed


def test_without_an_assignable_employee_nothing_is_created(world: World) -> None:
    manager = world.employee("manager")

    with pytest.raises(ConflictError) as refusal:
        world.run(create_task, manager.employee_id, title="Sweep")

    assert refusal.value.slug == "no-assignable-employee"
    assert world.one("select count(*) from tasks") == 0
    assert len(world.log()) == 1  # the manager's registration


def test_a_bad_title_changes_nothing(world: World) -> None:
    worker = world.employee()

    for title in ("", "a\nb", "x" * 501, "\0"):
        with pytest.raises(UnacceptableError):
            world.run(create_task, worker.employee_id, title=title)

    assert world.one("select count(*) from tasks") == 0


def test_completing_pays_the_assignee_once(world: World) -> None:
    worker = world.employee()
    task = world.run(create_task, worker.employee_id, title="Sweep")
    world.clock.forward(hours=1)

    done = world.run(complete_task, worker.employee_id, task_id=task.task_id)
    world.clock.forward(hours=1)
    again = world.run(complete_task, worker.employee_id, task_id=task.task_id)

    assert again == done
    assert done.completed_at == MONDAY_NOON + dt.timedelta(hours=1)
    completions = [event for event in world.log() if event[1].type == "task.completed"]
    assert [(event[1].sequence, event[2]) for event in completions] == [
        (
            3,
            TaskCompletedV1(
                task_id=task.task_id,
                employee_id=worker.employee_id,
                reward_cents=task.reward_cents,
                title="Sweep",
            ),
        )
    ]


@pytest.mark.parametrize("is_done", [False, True])
def test_another_one_s_task_cannot_be_completed(world: World, is_done: bool) -> None:
    worker, other = world.employee(), world.employee("admin")
    task = world.run(create_task, worker.employee_id, title="Sweep")
    if is_done:
        world.run(complete_task, worker.employee_id, task_id=task.task_id)
    count_events = len(world.log())

    with pytest.raises(ConflictError):
        world.run(complete_task, other.employee_id, task_id=task.task_id)

    assert len(world.log()) == count_events


def test_a_task_that_does_not_exist_cannot_be_completed(world: World) -> None:
    worker = world.employee()

    with pytest.raises(NotFoundError):
        world.run(complete_task, worker.employee_id, task_id=uuid4())


def test_who_lost_a_task_by_reassignment_cannot_complete_it(world: World) -> None:
    worker = world.employee()
    task = world.run(create_task, worker.employee_id, title="Sweep")
    other = world.employee()
    while _assignee(world, task.task_id) == worker.employee_id:
        world.run(reassign_open_tasks)

    with pytest.raises(ConflictError):
        world.run(complete_task, worker.employee_id, task_id=task.task_id)
    done = world.run(complete_task, other.employee_id, task_id=task.task_id)

    assert done.status == "done"


def _assignee(world: World, task_id: UUID) -> object:
    return world.one("select assignee_id from tasks where task_id = :task_id", task_id=task_id)
