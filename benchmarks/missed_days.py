"""A thousand days that nobody closed: until every one is closed, paid and shown, in one run."""

import datetime as dt
import os
import random
import tempfile
import time
import uuid
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
from sqlalchemy import Engine

from benchmarks.ratio import Ratio
from benchmarks.servers import servers
from contracts.environment import read_environment
from ops_api.context import CommandContext
from ops_api.database import create_engine
from ops_api.days.commands import close_due_days
from ops_api.employees.commands import register_employee
from ops_api.outbox.sequencer import move_all
from ops_api.tasks.commands import complete_task, create_task
from pipelines import dagster_instance
from pipelines.defs.payouts.assets import PAYOUTS, payouts
from pipelines.defs.payouts.jobs import pay_due_days_job
from pipelines.defs.payouts.sensors import (
    LAKE,
    RANGE_END_TAG,
    RANGE_START_TAG,
    pay_certified_days,
)
from pipelines.ingest.healing import read_missing
from warehouse.ingest import apply_missing
from warehouse.lake import connect, create_tables
from warehouse.settings import LakeSettings

DAYS = 1_000
SECONDS_MAX = 120.0
FIRST_NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)


def run() -> list[Ratio]:
    """Seconds to close the days in the tracker, bring them into the lake, and pay them in a run."""
    with tempfile.TemporaryDirectory(prefix="ates-bench-days-") as name:
        folder = Path(name)
        url = servers().tracker_database()
        os.environ |= {
            "DATABASE_URL": url,
            "LAKE_CATALOG_URL": servers().new_database(),
            "LAKE_DATA_PATH": str(folder / "lake"),
            "DAGSTER_DATABASE_URL": servers().new_database(),
        }
        engine = create_engine(url)
        _work(engine)
        dagster_instance.write_instance(folder / "dagster", {"DAGSTER_GRPC_PORT": "1"})
        with dg.DagsterInstance.from_config(str(folder / "dagster")) as instance:
            begun = time.perf_counter()
            count_closed = len(close_due_days(engine, _context(DAYS)))
            _arrive(engine)
            _pay(instance)
            seconds = time.perf_counter() - begun
            LAKE.close()
            count_shown = len(instance.get_materialized_partitions(PAYOUTS))
        engine.dispose()
    assert count_closed == count_shown == DAYS, (count_closed, count_shown)
    return [
        Ratio(
            name=f"{DAYS:,} missed days closed, brought into the lake and paid in one run",
            ours=seconds,
            baseline=SECONDS_MAX,
            ratio=SECONDS_MAX / seconds,
            goal=1.0,
            unit="seconds",
        )
    ]


def _context(day: int, actor_id: uuid.UUID | None = None) -> CommandContext:
    """Somebody who acts at noon of a day, counted from 0."""
    return CommandContext(
        actor_id=actor_id,
        clock=lambda: FIRST_NOON + dt.timedelta(days=day),
        rng=random.Random(day),
        correlation_id=uuid.uuid4(),
        business_timezone=ZoneInfo("UTC"),
    )


def _work(engine: Engine) -> None:
    """One employee who does one task every day."""
    with engine.begin() as connection:
        worker = register_employee(
            connection, _context(0), name="W", email="w@example.com", role="worker"
        )
    for day in range(DAYS):
        acting = _context(day, worker.employee_id)
        with engine.begin() as connection:
            task = create_task(connection, acting, title=f"task of day {day}")
            complete_task(connection, acting, task_id=task.task_id)


def _arrive(engine: Engine) -> None:
    """What relay and ingest do, without Kafka between them."""
    with engine.begin() as connection:
        move_all(connection)
    with connect(read_environment(LakeSettings)) as lake:
        create_tables(lake)
        apply_missing(lake, read_missing(engine, 0, 10**9))


def _pay(instance: dg.DagsterInstance) -> None:
    """One look of the sensor, and the run that it asks for."""
    with dg.build_sensor_context(instance=instance) as context:
        asked = pay_certified_days(context)
    assert isinstance(asked, dg.SensorResult), asked
    assert asked.run_requests, asked
    tags = asked.run_requests[0].tags
    job = dg.Definitions(assets=[payouts], jobs=[pay_due_days_job]).resolve_job_def("pay_due_days")
    done = job.execute_in_process(
        instance=instance,
        tags={name: tags[name] for name in (RANGE_START_TAG, RANGE_END_TAG)},
    )
    assert done.success
