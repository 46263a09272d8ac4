"""Reassigning: one statement, one fresh draw and one fee for every open task."""

from collections import Counter

import pytest
from sqlalchemy import text

from contracts import registry
from contracts.events import TaskAssignedV1
from ops_api.errors import ConflictError
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.reassign import reassign_open_tasks
from tests.ops_api.conftest import World

NASTY_TITLES = (
    'quotes " and \\ and \\" and \\u0041',
    "%s %(name)s :name {brace} $1 ? *title* concat(",
    "emoji 🦜 кириллица العربية \u200d <b>&amp;</b>",
    "'; drop table tasks; --",
    "/*title*/ 9000000000000000001 00000000-0000-0000-0000-000000000001",
)

FILL = """
insert into tasks (
    task_id, title, status, assignee_id, fee_cents, reward_cents, assignment_number, version,
    created_by, created_at
)
select uuidv7(), 'Sweep ' || n, 'open', :assignee, 1000 + 100 * (n % 11), 2000, 1, 2, :assignee,
    now()
from generate_series(1, :count) as n
"""


def test_the_bodies_written_by_sql_are_those_of_contracts(world: World) -> None:
    worker = world.employee()
    for title in NASTY_TITLES:
        world.run(create_task, worker.employee_id, title=title)
    world.clock.forward(microseconds=123456)
    world.run(reassign_open_tasks)
    world.log()

    with world.engine.connect() as connection:
        rows = connection.execute(
            text("select * from event_log where type = 'task.assigned' and sequence = 3")
        ).all()
    assert len(rows) == len(NASTY_TITLES)
    for row in rows:
        envelope, data = registry.decode_as_written(row.body)
        assert isinstance(data, TaskAssignedV1)
        encoded = registry.encode(
            data,
            event_id=row.event_id,
            subject=row.subject,
            sequence=row.sequence,
            occurred_at=row.occurred_at,
            business_date=row.business_date,
            correlation_id=row.correlation_id,
        )
        assert row.body.encode() == encoded
        assert (envelope.id, envelope.sequence) == (row.event_id, row.sequence)
        assert (row.fee_cents, row.reward_cents) == (data.fee_cents, 0)
        assert (row.topic, row.version) == ("tasks", 1)


def test_every_open_task_is_charged_again_under_one_correlation_id(world: World) -> None:
    worker = world.employee()
    tasks = [world.run(create_task, worker.employee_id, title=f"{n}") for n in range(5)]
    world.run(complete_task, worker.employee_id, task_id=tasks[0].task_id)

    result = world.run(reassign_open_tasks)

    assert result.count_tasks == 4
    again = [each for each in world.log() if each[1].correlationid == result.correlation_id]
    assert {each[1].subject for each in again} == {str(task.task_id) for task in tasks[1:]}
    fees = {task.task_id: task.fee_cents for task in tasks}
    for _, envelope, data in again:
        assert isinstance(data, TaskAssignedV1)
        assert data.assignee_id == worker.employee_id  # the only one: and still the fee is charged
        assert (data.assignment_number, envelope.sequence) == (2, 3)
        assert data.fee_cents == fees[data.task_id]


def test_the_draw_is_fresh_for_every_task_and_uniform(world: World) -> None:
    people = [world.employee(role).employee_id for role in ("worker",) * 3 + ("accountant",)]
    world.employee("manager")
    _fill(world, 4000)

    world.run(reassign_open_tasks)

    with world.engine.connect() as connection:
        drawn = Counter(connection.scalars(text("select assignee_id from tasks")))
    assert set(drawn) == set(people)
    assert all(850 < count < 1150 for count in drawn.values())  # 1000 each, five deviations


def test_with_open_tasks_and_nobody_to_take_them_nothing_changes(world: World) -> None:
    manager = world.employee("manager")
    with world.engine.begin() as connection:
        connection.execute(text(FILL), {"assignee": manager.employee_id, "count": 3})

    with pytest.raises(ConflictError):
        world.run(reassign_open_tasks)

    assert world.one("select max(version) from tasks") == 2


def test_without_open_tasks_there_is_nothing_to_do(world: World) -> None:
    assert world.run(reassign_open_tasks).count_tasks == 0
    assert world.log() == []


def test_the_number_of_statements_does_not_depend_on_the_number_of_tasks(world: World) -> None:
    for _ in range(5):
        world.employee()
    for count in (10, 20_000):
        _fill(world, count)
        with world.statements() as sent:
            world.run(reassign_open_tasks)
        assert len(sent) == 2, sent  # locks and facts; all tasks

    assert world.one("select count(distinct event_id) from outbox where sequence = 3") == 20_010


def _fill(world: World, count: int) -> None:
    assignee = world.one("select employee_id from employees limit 1")
    with world.engine.begin() as connection:
        connection.execute(text(FILL), {"assignee": assignee, "count": count})
        connection.execute(text("analyze tasks"))
