"""An import that is killed, refused, given up or overtaken: it goes on, or says why not."""

import datetime as dt
import random
import signal
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from ops_api.context import CommandContext
from ops_api.database import create_engine
from ops_api.days.commands import close_day, close_due_days
from ops_api.errors import ConflictError
from ops_api.imports.commands import OVERTAKEN, abandon_import
from ops_api.imports.queries import next_date_to_close
from tests.ops_api.imports_world import NOW, facts, rows_of, run_import, write_log

LONG_LOG = "\n".join(
    f"t{number % 37},2024-{1 + number // 300:02}-{1 + number % 300 // 11:02}T{number % 24:02}:00,"
    f"w{number * 7 % 13},{'done' if number % 5 == 4 else 'open'}"
    for number in range(600)
)
CHILD = """
    import os, signal, sys
    from pathlib import Path
    from ops_api.database import create_engine
    from ops_api.imports import schedule, writer
    from tests.ops_api import imports_world

    schedule.MOVES_PER_BATCH_MAX, schedule.CLOSES_PER_BATCH_MAX = 7, 5
    calls = [0]
    names = ["write_state", "append_events"]
    for name in names:
        def die(self, *arguments, whole=getattr(writer.Writer, name)):
            calls[0] += 1
            if calls[0] == int(sys.argv[3]):
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(self, *arguments)
        setattr(writer.Writer, name, die)
    imports_world.run_import(create_engine(sys.argv[1]), Path(sys.argv[2]), seed=3)
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def context() -> CommandContext:
    return CommandContext(
        actor_id=None,
        clock=lambda: NOW,
        rng=random.Random(1),
        correlation_id=uuid.uuid4(),
        business_timezone=ZoneInfo("UTC"),
    )


def next_day(engine: Engine) -> dt.date:
    with engine.begin() as connection:
        day = next_date_to_close(connection)
    assert day is not None
    return day


def test_an_import_killed_anywhere_goes_on_to_the_same_end(
    engine: Engine, database_url: str, tmp_path: Path, new_database: object, tracker_template: str
) -> None:
    path = write_log(tmp_path, LONG_LOG)
    undisturbed = create_engine(new_database("tracker", template=tracker_template))  # type: ignore[operator]
    run_import(undisturbed, path, seed=3)

    kills = 0
    for calls_before_death in (1, 2, 9, 24, 3, 55, 10_000):
        script = [sys.executable, "-c", textwrap.dedent(CHILD), database_url, str(path)]
        child = subprocess.run([*script, str(calls_before_death)], check=False, timeout=60)
        kills += child.returncode == -signal.SIGKILL
    assert (kills, child.returncode) == (6, 0)

    state = """
        select t.external_id, status, e.external_id, t.version, assignment_number, completed_at,
            fee_cents, reward_cents
        from tasks t join employees e on e.employee_id = assignee_id order by 1
    """
    tally = "select tally, count_moves_written, finished_at is not null from imports"
    for sql in (state, tally, "select * from business_days order by 1"):
        assert rows_of(engine, sql) == rows_of(undisturbed, sql)
    assert facts(engine) == facts(undisturbed)
    undisturbed.dispose()


def test_while_an_import_is_unfinished_another_is_refused_until_it_is_given_up(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    script = [sys.executable, "-c", textwrap.dedent(CHILD), database_url]
    subprocess.run([*script, str(write_log(tmp_path, LONG_LOG)), "30"], check=False, timeout=60)
    other = write_log(tmp_path, "x,2024-03-08T09:00,ann,open", "other.csv")

    with pytest.raises(ConflictError, match=r"import of log\.csv is unfinished"):
        run_import(engine, other)
    assert close_due_days(engine, context()) == []
    with pytest.raises(ConflictError, match="not finished"), engine.begin() as connection:
        close_day(connection, context(), day=next_day(engine))
    given_up = abandon_import(engine, clock=lambda: NOW)
    again = run_import(engine, tmp_path / "log.csv")

    assert given_up is not None
    assert given_up.file_name == "log.csv"
    assert again.has_written is False
    assert run_import(engine, other).has_written
    assert abandon_import(engine, clock=lambda: NOW) is None
    assert close_due_days(engine, context()) == []


def test_a_task_that_a_live_command_changed_is_left_to_it(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    log = """
        t1,2024-03-01T09:00,ann,open
        t2,2024-03-01T09:00,ann,open
        t1,2024-03-05T09:00,bob,open
        t2,2024-03-05T09:00,bob,done
        t1,2024-03-06T09:00,cat,done
    """
    path = write_log(tmp_path, log)
    child = textwrap.dedent(CHILD).replace("= 7, 5", "= 1, 1")
    subprocess.run(
        [sys.executable, "-c", child, database_url, str(path), "5"], check=False, timeout=60
    )
    # What a live reassign does to t1 between two of the import's transactions.
    with engine.begin() as connection:
        connection.execute(
            text("""
                update tasks set version = version + 1, assignment_number = 2
                where external_id = 't1'
            """)
        )

    outcome = run_import(engine, path)

    assert outcome.record.tally.skipped == {OVERTAKEN: 2}
    assert rows_of(engine, "select external_id, status, version from tasks order by 1") == [
        ("t1", "open", 3), ("t2", "done", 4)
    ]  # fmt: skip
    assert rows_of(engine, "select external_id from employees order by 1") == [("ann",), ("bob",)]
