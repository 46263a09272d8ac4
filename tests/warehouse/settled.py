"""A small business at rest: a log imported, work done live, days paid, mail planned."""

import contextlib
import datetime as dt
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
from sqlalchemy import Engine, text

from ops_api.context import CommandContext
from ops_api.days.commands import close_due_days
from ops_api.employees.commands import Changes, change_employee, register_employee
from ops_api.outbox.sequencer import move_all
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.reassign import reassign_open_tasks
from pipelines.mail.database import create_schema
from pipelines.mail.planning import plan_deliveries
from tests.ops_api.imports_world import NOW, run_import, write_log
from warehouse.ingest import LogRow, apply_missing
from warehouse.lake import connect, create_tables
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings

# Two rows a ticket: the same worker gains by it, another one mostly loses; one in four stays open.
LOG = "\n".join(
    f"t{number // 2},2024-02-{1 + number // 20:02}T{number % 20:02}:00,w{number // 3 % 5},"
    f"{'done' if number % 2 and number % 8 != 5 else 'open'}"
    for number in range(400)
)


def context(actor_id: uuid.UUID | None = None, now: dt.datetime = NOW) -> CommandContext:
    """Somebody who acts at `now`."""
    return CommandContext(
        actor_id=actor_id,
        clock=lambda: now,
        rng=random.Random(),
        correlation_id=uuid.uuid4(),
        business_timezone=ZoneInfo("UTC"),
    )


def fill_tracker(engine: Engine, folder: Path) -> None:
    """Import a log, hire and change people, work on tasks, and close a day."""
    run_import(engine, write_log(folder, LOG), is_mail_wanted=True)
    with engine.begin() as connection:
        manager = register_employee(
            connection, context(), name="M", email="m@example.com", role="manager"
        )
        worker = register_employee(
            connection, context(), name="W", email="w@example.com", role="worker"
        )
    acting = context(manager.employee_id)
    with engine.begin() as connection:
        tasks = [create_task(connection, acting, title=f"task {n}") for n in range(9)]
        reassign_open_tasks(connection, acting)
        changes = Changes(name="Worker W.")
        change_employee(connection, acting, employee_id=worker.employee_id, changes=changes)
    for task in tasks[:6]:
        with engine.begin() as connection:
            row = connection.execute(
                text("select assignee_id from tasks where task_id = :id"), {"id": task.task_id}
            ).one()
            complete_task(connection, context(row.assignee_id), task_id=task.task_id)
    close_due_days(engine, context(now=NOW + dt.timedelta(days=2)))
    move_everything(engine)


def move_everything(engine: Engine) -> None:
    """Give every event its position."""
    with engine.begin() as connection:
        move_all(connection)


def fill_lake(
    engine: Engine, settings: LakeSettings, *, through: int | None = None
) -> duckdb.DuckDBPyConnection:
    """A lake with the events of the log (up to a position), paid, and its deliveries planned."""
    lake = connect(settings)
    create_tables(lake)
    create_schema(engine)
    statement = text("select position, topic, body from event_log order by position limit :limit")
    with engine.begin() as connection:
        rows = connection.execute(statement, {"limit": through})
        apply_missing(lake, [LogRow(row.position, row.topic, row.body.encode()) for row in rows])
    pay_due_days(lake)
    plan_deliveries(lake, engine, mail_from="ates@uberpopug.example", now=NOW)
    return lake


@contextlib.contextmanager
def undone(lake: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction whose changes are gone at the end."""
    lake.begin()
    try:
        yield
    finally:
        lake.rollback()
