"""Senders that meet, die, stop or lose the database: each mail still leaves once."""

import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, text

from pipelines.mail import marking
from pipelines.mail.database import create_schema
from pipelines.mail.deliveries import deliveries_of, send_deliveries
from pipelines.mail.office import Office
from pipelines.mail.planning import plan_deliveries
from pipelines.mail.post import LEASE, SendReport, claim, put_back
from tests.pipelines.conftest import MailWorld
from tests.pipelines.paid_lake import (
    FIRST_DAY,
    add_employees,
    pay_day,
)

ONE_DAY = timedelta(days=1)


def test_two_senders_at_once_share_the_work(
    office: MailWorld, new_office: Callable[[], Office]
) -> None:
    add_employees(office.lake, 200)
    for day in range(2):
        pay_day(office.lake, FIRST_DAY + day * ONE_DAY, 200)
    plan_deliveries(office.lake, office.desk.engine, mail_from="a@example.com", now=office.clock())
    reports: list[SendReport] = []

    def work(other: Office) -> None:
        reports.append(send_deliveries(other.desk, other.lake, other.zone, budget_seconds=60))

    threads = [threading.Thread(target=work, args=(new_office(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sum(report.count_sent for report in reports) == 400
    assert all(report.count_sent for report in reports)
    assert len(office.sink.mails) == len(set(office.sink.message_ids)) == 400


def test_a_dead_senders_mail_is_sent_by_another_after_its_lease(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    plan_deliveries(office.lake, office.desk.engine, mail_from="a@example.com", now=office.clock())
    assert len(claim(office.desk, deliveries_of(office.lake, office.office.zone))) == 1

    office.work()
    assert not office.sink.mails
    office.clock.now += LEASE
    office.work()

    assert len(office.sink.mails) == 1


def test_an_old_senders_word_does_not_undo_a_new_ones(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    plan_deliveries(office.lake, office.desk.engine, mail_from="a@example.com", now=office.clock())
    source = deliveries_of(office.lake, office.office.zone)
    (old,) = claim(office.desk, source)
    office.clock.now += LEASE
    office.work()

    put_back(office.desk, source, {old.mail_id: old.attempts}, "late")

    assert office.rows() == [("sent",)]


def test_a_stop_leaves_the_rest_for_the_next_round(office: MailWorld) -> None:
    add_employees(office.lake, 5)
    pay_day(office.lake, FIRST_DAY, 5)
    stopping = msgspec.structs.replace(office.desk, should_stop=lambda: len(office.sink.mails) >= 2)
    plan_deliveries(office.lake, office.desk.engine, mail_from="a@example.com", now=office.clock())

    send_deliveries(stopping, office.lake, office.office.zone, budget_seconds=60)
    assert office.rows().count(("sent",)) == 2
    office.clock.advance(seconds=3)
    office.work()

    assert len(set(office.sink.message_ids)) == len(office.sink.mails) == 5


def test_creating_the_tables_from_many_processes_at_once_is_harmless(mail_engine: Engine) -> None:
    with mail_engine.begin() as connection:
        connection.execute(text("drop schema mail cascade"))
    errors: list[BaseException] = []

    def create() -> None:
        try:
            create_schema(mail_engine)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            errors.append(error)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []


def test_the_mark_waits_for_a_database_that_restarts(
    office: MailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "RETRY_SECONDS", 0.05)
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)

    def end_all_connections(verb: str, _count: int) -> None:
        if verb == "KEPT":
            with office.desk.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'ates mail' and pid <> pg_backend_pid()"
                    )
                )

    office.sink.fault = end_all_connections
    office.work()

    assert office.rows() == [("sent",)]
