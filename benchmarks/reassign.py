"""Reassigning 20,000 open tasks: our one statement against the same done with ORM objects."""

import datetime as dt
import random
import time
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, registry

from benchmarks.ratio import Ratio, compare
from benchmarks.servers import servers
from contracts.events import TaskAssignedV1
from ops_api.clock import system_clock
from ops_api.context import CommandContext
from ops_api.database import create_engine
from ops_api.employees.commands import register_employee
from ops_api.outbox.commands import event
from ops_api.outbox.models import outbox
from ops_api.tables import tasks
from ops_api.tasks.reassign import reassign_open_tasks

COUNT_TASKS = 20_000
COUNT_WORKERS = 100
GOAL = 8
ROUNDS = 3

FILL = sa.text("""
insert into tasks (
    task_id, title, status, assignee_id, fee_cents, reward_cents, assignment_number, version,
    created_by, created_at
)
select uuidv7(), 'Sweep the roof and count the parrots, number ' || n, 'open', :worker, 1500, 3000,
    1, 2, :worker, now()
from generate_series(1, :count) as n
""")


def run() -> list[Ratio]:
    """Tasks a second, each event encoded and in the outbox, on one database of their own."""
    engine = create_engine(servers().tracker_database())
    _fill(engine)
    try:
        ratio = compare(
            "reassign of 20,000 tasks",
            ours=lambda: _timed(engine, _ours),
            baseline=lambda: _timed(engine, _with_objects),
            goal=GOAL,
            unit="tasks/s",
            rounds=ROUNDS,
        )
    finally:
        engine.dispose()
    return [ratio]


class TaskObject:
    """A task as the ORM sees it."""


class EventObject:
    """An outbox row as the ORM sees it."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


mapper = registry()
mapper.map_imperatively(TaskObject, tasks)
mapper.map_imperatively(EventObject, outbox)


def _timed(engine: sa.Engine, work: Any) -> float:
    with engine.begin() as connection:
        connection.execute(sa.text("truncate outbox"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze tasks"))
    started = time.perf_counter()
    work(engine)
    return COUNT_TASKS / (time.perf_counter() - started)


def _ours(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        result = reassign_open_tasks(connection, context())
    assert result.count_tasks == COUNT_TASKS


def _with_objects(engine: sa.Engine) -> None:
    """One unit of work: load, change and add objects, and let the session write them."""
    acting = context()
    now = system_clock()
    with Session(engine) as session, session.begin():
        workers = session.scalars(sa.text("select employee_id from employees")).all()
        for task in session.scalars(sa.select(TaskObject).where(tasks.c.status == "open")):
            _reassign_object(session, acting, task, acting.rng.choice(workers), now)


def _reassign_object(
    session: Session, context: CommandContext, task: Any, worker: UUID, now: dt.datetime
) -> None:
    task.assignee_id = worker
    task.assignment_number += 1
    task.version += 1
    data = TaskAssignedV1(
        task_id=task.task_id,
        assignee_id=worker,
        assignment_number=task.assignment_number,
        fee_cents=task.fee_cents,
        title=task.title,
    )
    row = event(context, data, sequence=task.version, occurred_at=now, business_date=now.date())
    session.add(EventObject(**row))


def add_workers(connection: sa.Connection) -> UUID:
    """Employees to draw from; gives the id of one of them."""
    for number in range(COUNT_WORKERS):
        worker = register_employee(
            connection,
            context(),
            name=f"Popug {number}",
            email=f"popug-{number}@example.com",
            role="worker",
        )
    return worker.employee_id


def _fill(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(FILL, {"worker": add_workers(connection), "count": COUNT_TASKS})


def context(actor_id: UUID | None = None) -> CommandContext:
    """Somebody who acts now, by the system's clock."""
    return CommandContext(
        actor_id=actor_id,
        clock=system_clock,
        rng=random.Random(),
        correlation_id=uuid4(),
        business_timezone=ZoneInfo("UTC"),
    )
