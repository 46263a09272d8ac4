"""kill -9 of a sender between the server's 250 and the mark: the worst moment there is."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from pipelines.mail.post import LEASE
from tests.pipelines.conftest import MailWorld
from tests.pipelines.paid_lake import FIRST_DAY, add_employees, pay_day

ROOT = Path(__file__).parents[2]
WAIT_SECONDS_MAX = 60.0
COUNT_MAILS = 12

# A sender in a process of its own, with the same clock as the test.
SENDER = """
import datetime as dt, os, sys
import msgspec
from contracts.environment import read_environment
from pipelines.mail.office import open_office
from pipelines.settings import MailSettings
from warehouse.settings import LakeSettings

now = dt.datetime.fromisoformat(os.environ["NOW"])
with open_office(read_environment(MailSettings), read_environment(LakeSettings)) as office:
    office.desk = msgspec.structs.replace(office.desk, clock=lambda: now)
    office.work(budget_seconds=60.0)
"""


@pytest.mark.faults
def test_a_kill_before_the_mark_costs_one_copy_with_the_same_message_id(
    office: MailWorld, lake_environment: dict[str, str], database_url: str
) -> None:
    add_employees(office.lake, COUNT_MAILS)
    pay_day(office.lake, FIRST_DAY, COUNT_MAILS)
    environment = {
        **os.environ,
        **lake_environment,
        "DATABASE_URL": database_url,
        "SMTP_URL": office.sink.url,
        "MAIL_FROM": "ates@uberpopug.example",
        "BUSINESS_TIMEZONE": "UTC",
        "NOW": office.clock().isoformat(),
    }
    with office.desk.engine.connect() as connection:
        # The sixth mark has to wait for us, while its mail is with the server already.
        office.sink.fault = lambda verb, count: (
            _hold_rows(connection) if (verb, count) == ("KEPT", 6) else None
        )
        with subprocess.Popen([sys.executable, "-c", SENDER], env=environment, cwd=ROOT) as sender:
            try:
                _wait_until_blocked(office)
            finally:
                sender.kill()
        _end_waiting_sessions(office)  # else the server carries the dead sender's mark out
        connection.rollback()
    assert len(office.sink.mails) == 6
    assert office.rows().count(("sent",)) == 5

    office.sink.fault = lambda _verb, _count: None
    office.clock.now += LEASE
    office.work()

    ids = office.sink.message_ids
    assert len(set(ids)) == COUNT_MAILS
    assert len(ids) == COUNT_MAILS + 1
    assert office.rows() == [("sent",)] * COUNT_MAILS


def _hold_rows(connection) -> None:  # type: ignore[no-untyped-def]
    connection.execute(text("select 1 from mail.deliveries where state <> 'sent' for update"))


WAITING_SESSIONS = (
    "from pg_stat_activity where application_name = 'ates mail'"
    " and datname = current_database() and wait_event_type = 'Lock'"
)


def _end_waiting_sessions(office: MailWorld) -> None:
    with office.desk.engine.connect() as connection:
        connection.execute(text(f"select pg_terminate_backend(pid, 5000) {WAITING_SESSIONS}"))


def _wait_until_blocked(office: MailWorld) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        with office.desk.engine.connect() as connection:
            if connection.scalar(text(f"select count(*) {WAITING_SESSIONS}")):
                return
        time.sleep(0.05)
    pytest.fail("the sender never came to its mark")
