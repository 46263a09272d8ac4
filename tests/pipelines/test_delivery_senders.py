"""Senders that meet, die, stop or lose the database: each mail still leaves once."""

import threading
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, text

from pipelines.mail import marking
from pipelines.mail.database import create_schema
from pipelines.mail.deliveries import LEASE_SECONDS, claim, put_back
from pipelines.mail.planning import plan_deliveries
from pipelines.mail.sending import Sender, SendReport, send_due
from tests.pipelines.conftest import Office
from tests.pipelines.paid_lake import (
    FIRST_DAY,
    add_employees,
    pay_day,
)

ONE_DAY = timedelta(days=1)


def test_two_senders_at_once_share_the_work(
    office: Office, new_sender: Callable[[], Sender]
) -> None:
    add_employees(office.lake, 200)
    for day in range(4):
        pay_day(office.lake, FIRST_DAY + day * ONE_DAY, 200)
    plan_deliveries(
        office.lake, office.sender.engine, mail_from="a@example.com", now=office.clock()
    )
    reports: list[SendReport] = []
    threads = [
        threading.Thread(target=lambda s=sender: reports.append(send_due(s, budget_seconds=60)))  # type: ignore[misc]
        for sender in (new_sender(), new_sender())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sum(report.count_sent for report in reports) == 800
    assert all(report.count_sent for report in reports)
    assert len(office.sink.mails) == len(set(office.sink.message_ids)) == 800


def test_a_dead_senders_mail_is_sent_by_another_after_its_lease(office: Office) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    plan_deliveries(
        office.lake, office.sender.engine, mail_from="a@example.com", now=office.clock()
    )
    assert len(claim(office.sender.engine, office.clock())) == 1

    office.work()
    assert not office.sink.mails
    office.clock.advance(seconds=LEASE_SECONDS)
    office.work()

    assert len(office.sink.mails) == 1


def test_an_old_senders_word_does_not_undo_a_new_ones(office: Office) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    plan_deliveries(
        office.lake, office.sender.engine, mail_from="a@example.com", now=office.clock()
    )
    (old,) = claim(office.sender.engine, office.clock())
    office.clock.advance(seconds=LEASE_SECONDS)
    office.work()

    with office.sender.engine.begin() as connection:
        put_back(connection, old, error="late", next_attempt_at=office.clock())

    assert office.rows() == [("sent",)]


def test_a_stop_leaves_the_rest_for_the_next_round(
    office: Office, new_sender: Callable[[], Sender]
) -> None:
    add_employees(office.lake, 5)
    pay_day(office.lake, FIRST_DAY, 5)
    stopping = msgspec.structs.replace(
        office.sender, should_stop=lambda: len(office.sink.mails) >= 2
    )
    plan_deliveries(
        office.lake, office.sender.engine, mail_from="a@example.com", now=office.clock()
    )

    send_due(stopping, budget_seconds=60)
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
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "RETRY_SECONDS", 0.05)
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)

    def end_all_connections(verb: str, _count: int) -> None:
        if verb == "KEPT":
            with office.sender.engine.connect().execution_options(
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
