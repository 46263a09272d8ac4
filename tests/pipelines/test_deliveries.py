"""One mail per payout, whatever the mail server, the network or a kill does."""

import logging
import threading
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import text

from pipelines.mail import smtp
from pipelines.mail.planning import plan_deliveries
from tests.figures import figure, growth
from tests.pipelines.conftest import MailWorld
from tests.pipelines.paid_lake import (
    FIRST_DAY,
    add_employees,
    change_email,
    pay_day,
    payout_id,
)

ONE_DAY = timedelta(days=1)


def test_every_payout_gets_one_mail_with_its_sum(
    office: MailWorld, caplog: pytest.LogCaptureFixture
) -> None:
    add_employees(office.lake, 3)
    pay_day(office.lake, FIRST_DAY, 3)
    pay_day(office.lake, FIRST_DAY + ONE_DAY, 2)

    with caplog.at_level(logging.INFO, "ates.mail"):
        reports = [office.work(), office.work()]

    assert [report.sent.count_sent for report in reports] == [5, 0]
    assert reports[1].is_quiet
    expected = {payout_id(FIRST_DAY, n) for n in range(3)}
    expected |= {payout_id(FIRST_DAY + ONE_DAY, n) for n in range(2)}
    assert Counter(office.sink.message_ids) == Counter(
        f"<payout.{one}@uberpopug.example>" for one in expected
    )
    assert {mail["Subject"] for mail in office.sink.mails} == {
        "Your payout for 2026-11-01: 20.00",
        "Your payout for 2026-11-02: 20.00",
    }
    assert (
        office.rows("state, amount_cents, attempts, sent_at is not null")
        == [("sent", 2000, 1, True)] * 5
    )
    assert office.sink.count_connections == 1
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 5
    assert all(line.startswith("event=mail_sent delivery_id=") for line in lines)
    assert {
        one for one in expected if any(f"delivery_id={one} " in line for line in lines)
    } == expected


def test_no_mail_when_the_certificate_wants_none(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1, is_mail_wanted=False)
    pay_day(office.lake, FIRST_DAY + ONE_DAY, 1)

    office.work()

    assert office.rows("business_date") == [(FIRST_DAY + ONE_DAY,)]
    assert len(office.sink.mails) == 1


def test_planning_twice_and_planning_anew_add_nothing(office: MailWorld) -> None:
    add_employees(office.lake, 2)
    pay_day(office.lake, FIRST_DAY, 2)
    office.work()

    with office.desk.engine.begin() as connection:
        connection.execute(text("update mail.planning set planned_through = null"))

    assert office.work().is_quiet
    assert len(office.sink.mails) == 2


def test_payouts_made_while_the_server_is_down_leave_once_each_later(office: MailWorld) -> None:
    add_employees(office.lake, 40)
    office.sink.stop()
    for day in range(3):
        pay_day(office.lake, FIRST_DAY + day * ONE_DAY, 40)
        report = office.work()
        assert report.states == {"pending": 40 * (day + 1)}
        assert "ConnectionRefusedError" in str(report.sent.last_error)
        assert figure("ates_mail_deliveries", state="pending") == 40 * (day + 1)
        assert figure("ates_mail_oldest_waiting_seconds") == 60 * day
        office.clock.advance(minutes=1)
    office.sink.start()
    office.clock.advance(minutes=10)

    with growth("ates_mail_sent_total") as grown:
        office.work()

    assert grown["ates_mail_sent_total"] == 120
    assert figure("ates_mail_deliveries", state="sent") == 120
    assert figure("ates_mail_oldest_waiting_seconds") == 0
    assert len(office.sink.mails) == len(set(office.sink.message_ids)) == 120
    assert set(office.rows("state, last_error")) == {("sent", None)}


@pytest.mark.parametrize("verb", ["HELO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", ["451 try later", "421 closing", "drop"])
def test_a_temporary_failure_at_any_verb_delays_the_mail(
    office: MailWorld, verb: str, answer: str
) -> None:
    add_employees(office.lake, 5)
    pay_day(office.lake, FIRST_DAY, 5)
    office.sink.fault = lambda seen, count: answer if seen == verb and count <= 2 else None

    first = office.work()
    office.clock.advance(seconds=5)
    second = office.work()

    assert first.sent.count_sent + second.sent.count_sent == 5
    assert 1 <= first.sent.count_retried <= 2
    assert sorted(set(office.sink.message_ids)) == sorted(office.sink.message_ids)
    assert second.states == {"sent": 5}


def test_a_server_that_hangs_is_given_up_and_tried_again(
    office: MailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "STEP_TIMEOUT_SECONDS", 0.3)
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    is_over = threading.Event()
    office.sink.fault = lambda verb, count: (
        str(is_over.wait(5)) if (verb, count) == ("RCPT", 1) else None
    )

    first = office.work()
    is_over.set()
    office.clock.advance(seconds=5)
    office.work()

    assert "timed out" in str(first.sent.last_error)
    assert len(office.sink.mails) == 1


def test_a_refused_mail_is_kept_with_its_reason_and_tried_much_later(office: MailWorld) -> None:
    add_employees(office.lake, 2)
    pay_day(office.lake, FIRST_DAY, 2)
    office.sink.fault = lambda verb, count: (
        "550 no such mailbox" if (verb, count) == ("RCPT", 1) else None
    )

    report = office.work()
    office.clock.advance(minutes=50)
    assert office.work().is_quiet
    office.clock.advance(minutes=11)
    office.work()

    assert (report.sent.count_sent, report.sent.count_blocked) == (1, 1)
    assert report.states == {"blocked": 1, "sent": 1}
    assert report.sent.last_error == "550 no such mailbox"
    assert len(set(office.sink.message_ids)) == len(office.sink.mails) == 2


def test_delays_grow_up_to_a_limit_and_the_mail_is_never_given_up(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    office.sink.stop()
    waits = []
    for _ in range(15):
        office.work()
        [(due,)] = office.rows("next_attempt_at")
        waits.append((due - office.clock()).total_seconds())  # type: ignore[operator]
        office.clock.now = due  # type: ignore[assignment]

    assert 1 <= waits[0] <= 2
    assert all(150 <= wait <= 300 for wait in waits[9:])
    assert office.rows("state, attempts") == [("pending", 15)]


@pytest.mark.parametrize("email", ["", "nobody", "a\r\nBcc: b@example.com"])
def test_an_employee_without_a_usable_address_is_listed_and_mailed_once_there_is_one(
    office: MailWorld, email: str
) -> None:
    add_employees(office.lake, 1, email=email)
    add_employees(office.lake, 1, first=1)
    pay_day(office.lake, FIRST_DAY, 2)

    states = office.work().states
    change_email(office.lake, 0, "found@example.com")
    office.clock.advance(hours=1, minutes=1)
    office.work()

    assert states == {"blocked": 1, "sent": 1}
    assert ("sent", "found@example.com") in office.rows("state, email")
    assert len(office.sink.mails) == 2


def test_a_mail_goes_to_the_address_of_now(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    plan_deliveries(office.lake, office.desk.engine, mail_from="a@example.com", now=office.clock())
    change_email(office.lake, 0, "new@example.com")

    office.work()

    assert office.sink.mails[0]["To"].addresses[0].addr_spec == "new@example.com"
    assert office.rows("email") == [("new@example.com",)]


def test_a_sum_that_does_not_follow_from_the_ledger_is_not_mailed(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1)
    office.lake.execute("update lake.ledger.payouts set amount_cents = amount_cents + 100")

    office.work()

    assert not office.sink.mails
    [(state, error)] = office.rows("state, last_error")
    assert state == "blocked"
    assert "does not add up" in str(error)


def test_many_entries_are_counted_and_not_all_listed(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1, count_rewards=60)

    office.work()

    body = office.sink.mails[0].get_body(("plain",))
    assert body is not None
    assert "60 rewards for tasks" in body.get_content()
    assert "... and 21 more entries" in body.get_content()


def test_a_title_cannot_alter_the_mail_on_the_wire(office: MailWorld) -> None:
    add_employees(office.lake, 1)
    pay_day(office.lake, FIRST_DAY, 1, title="x\r\n.\r\nMAIL FROM:<a@b>\r\nBcc: y@example.com")

    office.work()

    (mail,) = office.sink.mails
    assert "Bcc" not in mail
    assert mail.is_multipart()
