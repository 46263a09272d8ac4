"""The closing schedule and the mail sensor, evaluated as Dagster's daemon evaluates them."""

import datetime as dt
from collections.abc import Iterator
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from dagster._core.definitions.sensor_definition import SensorExecutionData
from sqlalchemy import Engine

from pipelines.days import client
from pipelines.defs.days.assets import BUSINESS_DAYS, business_days
from pipelines.defs.days.schedules import day_schedules
from pipelines.defs.mail import sensors as mail_sensors
from pipelines.defs.mail.assets import DELIVERIES
from tests.pipelines.http_stub import HttpStub, answering
from tests.pipelines.paid_lake import FIRST_DAY, add_employees, pay_day
from tests.pipelines.smtp_sink import SmtpSink
from tests.pipelines.test_client import CLOSED, NOTHING


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster that forgets."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def ask_from(tracker: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKER_URL", tracker.url)
    monkeypatch.setenv("OIDC_PIPELINES_SECRET", "a-secret-of-tests")
    monkeypatch.setenv("BUSINESS_TIMEZONE", "Asia/Tbilisi")


def tick(instance: dg.DagsterInstance) -> ScheduleExecutionData:
    """One evaluation of the schedule."""
    (schedule,) = dg.Definitions.merge(day_schedules()).schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    now = dt.datetime.now(dt.UTC)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=now)
    with pytest.MonkeyPatch.context() as patch:
        # Dagster gives a schedule no instance that forgets; in a process of its own it has one.
        patch.setattr(dg.ScheduleEvaluationContext, "instance", instance)
        return schedule.evaluate_tick(context)


def test_the_schedule_says_what_it_closed_and_shows_it(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering((200, CLOSED)) as tracker:
        ask_from(tracker, monkeypatch)
        data = tick(instance)

    assert not data.run_requests
    assert "2026-11-21" in str(data.skip_message)
    event = instance.get_latest_materialization_event(BUSINESS_DAYS)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["events"].value == 5


def test_the_schedule_is_quiet_when_nothing_is_due(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering((200, NOTHING)) as tracker:
        ask_from(tracker, monkeypatch)
        data = tick(instance)

    assert data.skip_message == "no day is due"
    assert instance.get_latest_materialization_event(BUSINESS_DAYS) is None


def test_a_person_may_ask_for_the_closing_as_well(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering((200, CLOSED)) as tracker:
        ask_from(tracker, monkeypatch)
        assert dg.materialize([business_days], instance=instance).success

    assert len(tracker.asked) == 1


def test_a_refused_closing_fails_with_the_trackers_words(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RETRY_SECONDS_FIRST", 0.0)
    with answering((403, b"not your turn")) as tracker:
        ask_from(tracker, monkeypatch)
        result = dg.materialize([business_days], instance=instance, raise_on_error=False)

    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "not your turn" in str(failure.step_failure_data.user_failure_data)


def test_the_mail_sensor_sends_and_reports_and_then_is_quiet(
    instance: dg.DagsterInstance,
    lake: duckdb.DuckDBPyConnection,
    lake_environment: dict[str, str],
    mail_engine: Engine,
    sink: SmtpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = mail_engine.url.render_as_string(hide_password=False)
    settings = {"DATABASE_URL": url, "SMTP_URL": sink.url, "MAIL_FROM": "a@example.com"}
    for name, value in {**lake_environment, **settings, "BUSINESS_TIMEZONE": "UTC"}.items():
        monkeypatch.setenv(name, value)
    add_employees(lake, 3)
    pay_day(lake, FIRST_DAY, 3)

    def look(cursor: str | None) -> SensorExecutionData:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        return mail_sensors.deliver_mail.evaluate_tick(context)

    first = look(None)
    with patch.object(mail_sensors.Office, "work") as work:
        second = look(first.cursor)
        assert not work.called, "nothing waits, and the lake is the same"
    an_hour_later = look(str(float(first.cursor) - 3600))
    pay_day(lake, FIRST_DAY + dt.timedelta(days=1), 2)
    more = look(first.cursor)
    mail_sensors.OFFICE.close()
    mail_sensors.DESK.close()

    for tick, count_sent in ((first, 3), (an_hour_later, 0), (more, 2)):
        (event,) = tick.asset_events
        assert isinstance(event, dg.AssetMaterialization)
        assert event.asset_key == DELIVERIES
        assert event.metadata["sent"].value == count_sent
    assert second.skip_message == "no mail waits"
    assert len(sink.mails) == 5
