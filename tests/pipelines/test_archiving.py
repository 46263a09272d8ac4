"""Rounds of archiving beside everything else: a tracker at work, a rival, kill -9, and as a job."""

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from sqlalchemy import Engine, text

from ops_api.database import create_engine
from ops_api.days.commands import remove_archived
from ops_api.employees.commands import register_employee
from ops_api.outbox import archiving as removal
from ops_api.tasks.commands import create_task
from pipelines.archiving import ArchiveRound, archive_round
from pipelines.defs.archive.jobs import archive_event_log
from pipelines.ingest.healing import read_missing
from tests.ops_api.imports_world import run_import, write_log
from tests.pipelines.http_stub import TOKEN, Asked, HttpStub, answering
from tests.warehouse.settled import context, fill_lake, move_everything
from warehouse.checks import verify
from warehouse.ingest import apply_missing
from warehouse.lake import RivalError
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker

LOG = "\n".join(
    f"t{number // 2},2024-02-{1 + number // 6:02}T{number % 6:02}:00,w{number // 3 % 5},"
    f"{'done' if number % 2 and number % 8 != 5 else 'open'}"
    for number in range(90)
)
DAY = re.compile(r"/business-days/(\S+)/remove-archived")
TASKS_MADE_MEANWHILE = 40
KILLED = """
import datetime as dt
from pipelines.archiving import archive_round
archive_round(dt.datetime.now(dt.UTC))
"""


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """The tracker of a small business: everything published."""
    engine = create_engine(database_url)
    run_import(engine, write_log(tmp_path, LOG))
    move_everything(engine)
    with engine.begin() as connection:
        connection.execute(text("update publications set published_position = 999999"))
    yield engine
    engine.dispose()


@pytest.fixture
def tracker(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpStub]:
    """Lets go of archived events when asked over HTTP, by the tracker's own command."""
    with answering() as stub:

        def answer(asked: Asked) -> tuple[int, bytes]:
            if (found := DAY.search(asked.path)) is None:
                return 200, TOKEN
            with engine.begin() as connection:
                count = remove_archived(connection, day=dt.date.fromisoformat(found[1]))
            return 200, b'{"count_removed":%d}' % count

        monkeypatch.setattr(stub, "answer", answer)
        # A day has more events than that: every call leaves the log in the middle of one.
        monkeypatch.setattr(removal, "REMOVED_ROWS_MAX", 7)
        yield stub


@pytest.fixture
def lake(
    engine: Engine,
    tracker: HttpStub,
    lake_settings: LakeSettings,
    lake_environment: dict[str, str],
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its lake, with everything paid, and the settings that every round reads."""
    settings = {
        **lake_environment,
        "DATABASE_URL": database_url,
        "BUSINESS_TIMEZONE": "UTC",
        "EVENT_LOG_KEPT_DAYS": "30",
        "TRACKER_URL": tracker.url,
        "OIDC_PIPELINES_SECRET": "a-secret-of-tests",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with fill_lake(engine, lake_settings) as lake:
        attach_tracker(lake, database_url)
        yield lake


def positions(engine: Engine, lake: duckdb.DuckDBPyConnection) -> tuple[list[int], list[int]]:
    """What the archive has, and what is left in the log."""
    archived = lake.execute("select position from raw.event_log_archive order by 1").fetchall()
    with engine.connect() as connection:
        left = connection.execute(text("select position from event_log order by 1")).scalars()
        return [row[0] for row in archived], list(left)


def archive_until_done(now: dt.datetime) -> int:
    """Round after round, as `ates archive` and the schedule may at the same time; rivals met."""
    count_rivals = 0
    for _ in range(20):
        try:
            done = archive_round(now)
        except RivalError:
            count_rivals += 1
            continue
        assert done is not None
        if not done.removed and not done.copied:
            return count_rivals
    raise AssertionError("it never came to an end")


def make_tasks(engine: Engine) -> None:
    with engine.begin() as connection:
        manager = register_employee(
            connection, context(), name="M", email="m@example.com", role="manager"
        )
    acting = context(manager.employee_id)
    for number in range(TASKS_MADE_MEANWHILE):
        with engine.begin() as connection:
            create_task(connection, acting, title=f"made meanwhile {number}")
        move_everything(engine)


def test_two_archivers_and_a_tracker_at_work_get_in_nobodys_way(
    engine: Engine, lake: duckdb.DuckDBPyConnection
) -> None:
    now = dt.datetime.now(dt.UTC)
    with ThreadPoolExecutor(3) as pool:
        working = pool.submit(make_tasks, engine)
        archiving = [pool.submit(archive_until_done, now) for _ in range(2)]
        working.result()
        assert all(each.result() >= 0 for each in archiving)
    apply_missing(
        lake, read_missing(engine, len(lake.execute("from raw.events").fetchall()), 10**6)
    )

    archived, left = positions(engine, lake)
    assert archived == list(range(1, left[0]))
    assert left == list(range(left[0], left[-1] + 1))
    assert left[-1] - left[0] + 1 >= 2 * TASKS_MADE_MEANWHILE
    assert verify(lake).is_clean


def test_killed_between_two_removals_the_job_goes_on_with_the_next_run(
    engine: Engine, lake: duckdb.DuckDBPyConnection
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        first = archive_event_log.execute_in_process(instance=instance)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED],
            env={**os.environ, "CRASH_AT": "between-removals"},
            check=False,
        )
        _, left_by_the_kill = positions(engine, lake)
        second = archive_event_log.execute_in_process(instance=instance)

    (copied,) = first.asset_materializations_for_node("archive_old_days")
    (removed,) = second.asset_materializations_for_node("archive_old_days")
    archived, left = positions(engine, lake)
    assert killed.returncode == -9
    assert left_by_the_kill[0] == removal.REMOVED_ROWS_MAX + 1
    assert copied.metadata["events_copied"].value == len(archived)
    assert copied.metadata["events_removed_from_the_log"].value == 0
    assert removed.metadata["events_removed_from_the_log"].value == len(archived) - 7
    assert archived == list(range(1, len(archived) + 1))
    assert left == [], "and a log without any event is a log like any other"
    assert archive_round(dt.datetime.now(dt.UTC)) == ArchiveRound([], 0, [])
    assert verify(lake).is_clean
