"""Incidents: recorded once, told once when they open and once when they are over."""

import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.test_utils import create_run_for_test
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from ates.cli import main
from pipelines.defs.incidents import sensors
from pipelines.incidents import record
from pipelines.incidents.kinds import CHECK_FAILS, KINDS, MAIL_BLOCKED, Symptom, symptom
from pipelines.incidents.record import FINE_FOR, Change, note, read_incidents
from pipelines.mail.alerts import send_alerts
from pipelines.mail.post import LEASE, Desk
from tests.pipelines.conftest import SetClock
from tests.pipelines.smtp_sink import SmtpSink
from tests.warehouse.world import record as kafka_record
from tests.warehouse.world import table
from warehouse.ingest import apply_batch

ROOT = Path(__file__).parents[2]
WHO = ("ann@example.com", "bob@example.com")
BROKEN = symptom(CHECK_FAILS, "a sum is not zero", "ledger/postings:sums")
BLOCKED = symptom(MAIL_BLOCKED, "2 payouts' mails are blocked")
MAIL_FROM = "ates@uberpopug.example"
# A sender in a process of its own, with the same clock as the test.
SENDER = """
import datetime as dt, os
import msgspec
from contracts.environment import read_environment
from pipelines.mail.alerts import send_alerts
from pipelines.mail.post import open_desk
from pipelines.settings import MailSettings

now = dt.datetime.fromisoformat(os.environ["NOW"])
with open_desk(read_environment(MailSettings)) as desk:
    send_alerts(msgspec.structs.replace(desk, clock=lambda: now), budget_seconds=60.0)
"""


def look(desk: Desk, *symptoms: Symptom, emails: tuple[str, ...] = WHO) -> Change:
    return note(desk.engine, symptoms, emails=emails, now=desk.clock())


def send(desk: Desk) -> int:
    return send_alerts(desk, budget_seconds=60)


def test_an_incident_is_told_once_when_it_opens_and_once_when_it_has_been_over_for_a_while(
    desk: Desk, sink: SmtpSink, clock: SetClock
) -> None:
    for _ in range(3):
        look(desk, BROKEN)
        send(desk)
        clock.advance(minutes=1)
    assert len(sink.mails) == 2
    look(desk)
    clock.advance(minutes=4)
    look(desk, BROKEN)  # it came back within the five minutes: the same incident
    clock.advance(minutes=1)
    look(desk)
    clock.advance(minutes=4)
    assert not look(desk).resolved
    assert send(desk) == 0
    clock.advance(minutes=1)
    assert len(look(desk).resolved) == 1
    assert [send(desk), send(desk)] == [2, 0]

    opened, over = sink.mails[:2], sink.mails[2:]
    assert {str(mail["To"]) for mail in opened} == set(WHO) == {str(mail["To"]) for mail in over}
    assert {str(mail["Subject"]) for mail in opened} == {"Trouble: A check fails"}
    assert {str(mail["Subject"]) for mail in over} == {"Over: A check fails"}
    words = str(opened[0].get_content())
    assert BROKEN.summary in words
    assert "docs/runbooks.md#checkfails" in words
    assert len(set(sink.message_ids)) == 4
    (incident,) = read_incidents(desk.engine, is_all=True)
    assert (incident.state, incident.count_mails_sent) == ("resolved", 4)


def test_without_addresses_incidents_are_recorded_and_nobody_is_told_later(
    desk: Desk, sink: SmtpSink, clock: SetClock
) -> None:
    look(desk, BROKEN, emails=())
    look(desk, BROKEN, BLOCKED)
    clock.advance(minutes=1)
    look(desk)
    clock.advance(seconds=FINE_FOR.total_seconds())
    look(desk)
    send(desk)

    subjects = [str(mail["Subject"]) for mail in sink.mails]
    titles = ["Trouble: Mails cannot be delivered", "Over: Mails cannot be delivered"]
    assert sorted(subjects) == sorted(titles * 2)
    assert len(read_incidents(desk.engine, is_all=True)) == 2
    assert read_incidents(desk.engine) == []


def test_any_number_of_lookers_and_senders_at_once_tell_once(desk: Desk, sink: SmtpSink) -> None:
    barrier = threading.Barrier(2)

    def work(order: int) -> int:
        symptoms = (BROKEN, BLOCKED)[::order]
        barrier.wait()
        opened = len(look(desk, *symptoms).opened)
        send(desk)
        return opened

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, (1, -1))) == 2
    send(desk)

    assert len(sink.mails) == 4
    assert len(set(sink.message_ids)) == 4


def test_a_look_that_dies_between_two_steps_leaves_nothing_and_the_next_one_tells(
    desk: Desk, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("OPEN", "SEE_AGAIN", "TELL_OPENED", "FIND_FINE", "RESOLVE", "TELL_RESOLVED"):
        with monkeypatch.context() as context:
            context.setattr(record, step, text("select 1 / 0"))
            with pytest.raises(DBAPIError):
                look(desk, BROKEN)
        assert read_incidents(desk.engine, is_all=True) == [], step

    look(desk, BROKEN)

    assert send(desk) == len(sink.mails) == 2


@pytest.mark.faults
def test_a_sender_killed_before_its_mark_tells_again_under_the_same_message_id(
    desk: Desk, sink: SmtpSink, clock: SetClock, database_url: str
) -> None:
    look(desk, BROKEN, emails=WHO[:1])
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "SMTP_URL": sink.url,
        "MAIL_FROM": MAIL_FROM,
        "BUSINESS_TIMEZONE": "UTC",
        "NOW": clock().isoformat(),
    }
    with subprocess.Popen([sys.executable, "-c", SENDER], env=environment, cwd=ROOT) as sender:
        sink.fault = lambda verb, _count: sender.kill() if verb == "KEPT" else None
    sink.fault = lambda _verb, _count: None
    assert len(sink.mails) == 1
    assert send(desk) == 0, "the lease of the dead sender still runs"
    clock.advance(seconds=LEASE.total_seconds())
    assert [send(desk), send(desk)] == [1, 0]

    assert len(sink.mails) == 2
    assert len(set(sink.message_ids)) == 1


ASSET = dg.AssetKey(["ledger", "postings"])
DEFINITIONS = dg.Definitions(
    assets=[dg.AssetSpec(ASSET)],
    asset_checks=[
        dg.asset_check(name="sums", asset=ASSET)(lambda: dg.AssetCheckResult(passed=True))
    ],
)


@pytest.fixture
def instance(
    instance: dg.DagsterInstance,
    lake: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[dg.DagsterInstance]:
    """A Dagster that forgets, over a lake with two records that nobody can read."""
    apply_batch(lake, table(kafka_record(b"stray", None), kafka_record(b"another", None, offset=1)))
    monkeypatch.setenv("ALERT_MAIL_TO", "ann@example.com, bob@example.com")
    yield instance
    sensors.TRACKER.close()


def tick(instance: dg.DagsterInstance, cursor: str | None) -> tuple[str, str | None]:
    """What a look says, and its cursor."""
    repository = DEFINITIONS.get_repository_def()
    context = dg.build_sensor_context(instance=instance, cursor=cursor, repository_def=repository)
    data = sensors.watch_for_incidents.evaluate_tick(context)
    return str(data.skip_message), data.cursor


def test_the_sensor_sees_checks_freshness_runs_mails_quarantine_and_the_relay(
    instance: dg.DagsterInstance, mail_engine: Engine, tmp_path: Path
) -> None:
    first, cursor = tick(instance, None)
    assert "the next look counts" in first
    wrong = dg.AssetCheckEvaluation(asset_key=ASSET, check_name="sums", passed=False)
    instance.report_runless_asset_event(wrong)
    long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    change = FreshnessStateChange(
        key=ASSET,
        new_state=FreshnessState.FAIL,
        previous_state=FreshnessState.PASS,
        state_change_timestamp=long_ago,
    )
    instance.report_runless_asset_event(change)
    run = create_run_for_test(instance, job_name="__ASSET_JOB")
    instance.report_run_failed(run)
    with mail_engine.begin() as connection:
        connection.execute(BLOCK_A_MAIL)
        connection.execute(LEAVE_AN_EVENT)

    said, _ = tick(instance, cursor)

    assert said.endswith("; 6 new, 0 over"), said
    found = {each.key: each for each in read_incidents(mail_engine)}
    assert found.keys() == {
        "check_fails:ledger/postings:sums",
        "freshness_overdue:ledger",
        "run_failed:__ASSET_JOB",
        "mail_blocked",
        "quarantine_waits",
        "relay_behind",
    }
    assert all(each.count_mails == 2 for each in found.values())
    assert found["quarantine_waits"].summary.startswith("2 records")
    with patch.dict(os.environ, DAGSTER_DATABASE_URL="unused", ATES_HOME=str(tmp_path)):
        shown = CliRunner().invoke(main, ["incidents"], catch_exceptions=False)
    assert shown.exit_code == 1
    assert "6 open" in shown.output
    assert all(KINDS[each.kind].page in shown.output for each in found.values())


BLOCK_A_MAIL = text("""
insert into mail.deliveries (delivery_id, business_date, employee_id, name, amount_cents,
    message_id, state, last_error, next_attempt_at, planned_at)
values (gen_random_uuid(), '2026-11-01', gen_random_uuid(), 'P', 1, 'm', 'blocked',
    'no address', now(), now())
""")
LEAVE_AN_EVENT = text("""
insert into outbox (event_id, type, version, topic, subject, sequence, occurred_at, business_date,
    correlation_id, body)
values (gen_random_uuid(), 'task.created', 2, 'tasks', 's', 1, now() - interval '5 minutes',
    '2026-11-01', gen_random_uuid(), '{}')
""")
