"""An import among people at work: nobody waits long, nothing is lost, and the books balance."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ops_api.database import create_engine
from ops_api.employees.commands import register_employee
from ops_api.errors import ConflictError
from ops_api.imports import schedule
from ops_api.imports.commands import OVERTAKEN
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.reassign import reassign_open_tasks
from tests.ops_api.imports_world import run_import, write_log
from tests.warehouse.settled import LOG, context, fill_lake, move_everything
from warehouse.checks import verify
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker

WAIT_SECONDS_MAX = 5.0
REASSIGNMENT_SECONDS_MAX = 30.0


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


class People(threading.Thread):
    """Create, complete and reassign tasks, one after the other, until told to stop."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.is_over = threading.Event()
        self.has_reassigned = threading.Event()
        self.waits_seconds: list[float] = []
        self.errors: list[Exception] = []
        with engine.begin() as connection:
            self.manager = register_employee(
                connection, context(), name="M", email="m@example.com", role="manager"
            )
            register_employee(connection, context(), name="W", email="w@example.com", role="worker")

    def run(self) -> None:
        try:
            while not self.is_over.is_set():
                for action in (self.create, self.complete, self.reassign):
                    began = time.monotonic()
                    action()
                    self.waits_seconds.append(time.monotonic() - began)
        except Exception as error:
            self.errors.append(error)
            raise
        finally:
            self.has_reassigned.set()

    def create(self) -> None:
        with self.engine.begin() as connection:
            create_task(connection, context(self.manager.employee_id), title="now")

    def complete(self) -> None:
        statement = text("select task_id, assignee_id from tasks where status = 'open' limit 1")
        with self.engine.begin() as connection:
            row = connection.execute(statement).one_or_none()
        if row is not None:
            try:
                with self.engine.begin() as connection:
                    complete_task(connection, context(row.assignee_id), task_id=row.task_id)
            except ConflictError:
                return  # the log has given the task to somebody else meanwhile

    def reassign(self) -> None:
        with self.engine.begin() as connection:
            reassign_open_tasks(connection, context(self.manager.employee_id))
        self.has_reassigned.set()

    def wait_for_a_reassignment(self, *_progress: object) -> None:
        """Return when every task that is open now has changed hands, or the people have failed."""
        for _ in range(2):  # the first one may have begun before
            self.has_reassigned.clear()
            if self.errors:
                return
            self.has_reassigned.wait(REASSIGNMENT_SECONDS_MAX)


def test_people_work_while_a_log_is_imported(
    engine: Engine, lake_settings: LakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MOVES_PER_BATCH_MAX", 8)
    people = People(engine)
    people.start()
    try:
        outcome = run_import(
            engine,
            write_log(tmp_path, LOG),
            is_mail_wanted=True,
            on_progress=people.wait_for_a_reassignment,
        )
    finally:
        people.is_over.set()
        people.join()

    move_everything(engine)
    lake = fill_lake(engine, lake_settings)
    attach_tracker(lake, engine.url.render_as_string(hide_password=False))
    verification = verify(lake)
    lake.close()

    assert people.errors == []
    assert len(people.waits_seconds) > 10
    assert max(people.waits_seconds) < WAIT_SECONDS_MAX
    assert [each for each in verification.findings if each.count_offending] == []
    assert verification.scope.is_settled
    tally = outcome.record.tally
    assert tally.skipped[OVERTAKEN] > 0
    assert tally.count_rows == 400
