"""The company's figures at one snapshot: today's date, empty days, spans and who owes."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Literal
from uuid import UUID

import duckdb
import pytest

from tests.dashboards.ledger import Ledger
from warehouse.company import DAYS_MAX, CompanyDay, read_company
from warehouse.company_day import read_company_day, read_task
from warehouse.lake import connect
from warehouse.reading import OPERATOR, Reader, ReadRefusedError
from warehouse.settings import LakeSettings

MONDAY = dt.date(2026, 3, 2)
TUESDAY, WEDNESDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)


@pytest.fixture
def ledger(lake_settings: LakeSettings) -> Iterator[Ledger]:
    """Monday was closed and paid; on Tuesday one fee was charged."""
    with contextlib.closing(connect(lake_settings)) as connection:
        ledger = Ledger(connection)
        anna = ledger.employee(1, "Anna")
        ledger.reward(anna, MONDAY, 3_000)
        ledger.pay(MONDAY, {anna: 3_000})
        ledger.fee(anna, TUESDAY, 1_400)
        ledger.write()
        yield ledger


def test_figures_of_a_span_are_those_of_its_days(ledger: Ledger) -> None:
    company = read_company(ledger.connection, reader=OPERATOR, local_date=TUESDAY, count_days=3)

    assert company.days == [
        CompanyDay(MONDAY - dt.timedelta(days=1), 0, 0, 0, 0, is_closed=False),
        CompanyDay(MONDAY, 0, 3_000, -3_000, 3_000, is_closed=True),
        CompanyDay(TUESDAY, 1_400, 0, 1_400, 0, is_closed=False),
    ]
    assert company.today == company.days[-1]
    span = company.span
    assert (span.fees_cents, span.rewards_cents, span.earnings_cents) == (1_400, 3_000, -1_600)
    assert (span.payouts_cents, span.count_negative_days) == (3_000, 1)
    assert [(one.name, one.balance_cents) for one in company.balances] == [("Anna", -1_400)]
    assert (company.count_below_zero, company.below_zero_cents) == (1, -1_400)


def test_the_span_before_is_as_long_and_ends_the_day_before(ledger: Ledger) -> None:
    company = read_company(
        ledger.connection, reader=OPERATOR, local_date=WEDNESDAY, count_days=1, last=TUESDAY
    )

    assert [one.business_date for one in company.days] == [TUESDAY]
    assert (company.span.earnings_cents, company.before.earnings_cents) == (1_400, -3_000)
    assert company.today.business_date == WEDNESDAY


@pytest.mark.parametrize("role", ["worker", "manager"])
def test_figures_of_the_company_are_for_management(
    ledger: Ledger, role: Literal["worker", "manager"]
) -> None:
    reader = Reader(role=role, employee_id=UUID(int=1))

    with pytest.raises(ReadRefusedError):
        read_company(ledger.connection, reader=reader, local_date=TUESDAY, count_days=2)
    with pytest.raises(ReadRefusedError):
        read_company_day(ledger.connection, reader=reader, business_date=MONDAY)
    with pytest.raises(ReadRefusedError):
        read_task(ledger.connection, reader=reader, task_id=UUID(int=1))


def test_today_is_never_a_closed_day_even_if_the_clock_says_so(ledger: Ledger) -> None:
    behind = read_company(ledger.connection, reader=OPERATOR, local_date=MONDAY, count_days=2)
    ahead = read_company(ledger.connection, reader=OPERATOR, local_date=WEDNESDAY, count_days=2)

    assert behind.today.business_date == TUESDAY
    assert ahead.today.business_date == WEDNESDAY


def test_reading_leaves_no_transaction_open(ledger: Ledger) -> None:
    read_company(ledger.connection, reader=OPERATOR, local_date=TUESDAY, count_days=DAYS_MAX)

    with pytest.raises(duckdb.TransactionException, match="no transaction is active"):
        ledger.connection.execute("rollback")


def test_a_day_has_its_certificate_its_payouts_and_its_entries(ledger: Ledger) -> None:
    detail = read_company_day(ledger.connection, reader=OPERATOR, business_date=MONDAY)

    assert detail.day == CompanyDay(MONDAY, 0, 3_000, -3_000, 3_000, is_closed=True)
    assert detail.certificate is not None
    assert detail.certificate.agrees
    assert (detail.certificate.count_events, detail.certificate.rewards_cents) == (1, 3_000)
    assert [(one.name, one.amount_cents) for one in detail.payouts] == [("Anna", 3_000)]
    assert [(one.kind, one.amount_cents, one.employee) for one in detail.entries] == [
        ("reward", -3_000, "Anna")
    ]
    assert (detail.count_entries, detail.entries_cents) == (1, -3_000)


def test_a_certificate_that_the_ledger_does_not_bear_out_is_told(ledger: Ledger) -> None:
    ledger.reward(UUID(int=1), MONDAY, 2_000)
    ledger.write()

    certificate = read_company_day(
        ledger.connection, reader=OPERATOR, business_date=MONDAY
    ).certificate

    assert certificate is not None
    assert not certificate.agrees
    assert (certificate.rewards_cents, certificate.found_rewards_cents) == (3_000, 5_000)


def test_an_open_day_has_no_certificate_and_no_payout(ledger: Ledger) -> None:
    detail = read_company_day(ledger.connection, reader=OPERATOR, business_date=TUESDAY)

    assert (detail.certificate, detail.payouts) == (None, [])
    assert (detail.count_entries, detail.entries_cents) == (1, 1_400)


def test_entries_of_a_day_are_found_by_employee_title_and_jira_id(ledger: Ledger) -> None:
    boris = ledger.employee(2, "Boris")
    task_id = ledger.task(TUESDAY, "Wash the cage", jira_id="POPUG-7")
    ledger.fee(boris, TUESDAY, 1_100, task_id)
    ledger.write()

    def found(text: str, skipped: int = 0) -> list[int]:
        detail = read_company_day(
            ledger.connection, reader=OPERATOR, business_date=TUESDAY, text=text,
            count_max=1, count_skipped=skipped,
        )  # fmt: skip
        return [detail.count_entries, *(one.amount_cents for one in detail.entries)]

    assert found("") == [2, 1_100]
    assert found("", skipped=1) == [2, 1_400]
    assert found("CAGE") == found("popug-7") == found(" bori") == [1, 1_100]
    assert found("nothing like that") == [0]


def test_a_task_tells_all_that_was_charged_and_credited_for_it(ledger: Ledger) -> None:
    anna, boris = UUID(int=1), ledger.employee(2, "Boris")
    task_id = ledger.task(TUESDAY, "Wash the cage", jira_id="POPUG-7", by=boris)
    ledger.fee(anna, TUESDAY, 1_100, task_id)
    ledger.fee(boris, TUESDAY, 1_100, task_id)
    ledger.reward(boris, WEDNESDAY, 2_500, task_id)
    ledger.write()

    task = read_task(ledger.connection, reader=OPERATOR, task_id=task_id)

    assert task is not None
    assert (task.title, task.jira_id, task.created_by) == ("Wash the cage", "POPUG-7", "Boris")
    assert task.total_cents == 1_100 + 1_100 - 2_500
    assert [(one.employee, one.kind, one.amount_cents) for one in task.entries] == [
        ("Anna", "fee", 1_100), ("Boris", "fee", 1_100), ("Boris", "reward", -2_500),
    ]  # fmt: skip
    assert read_task(ledger.connection, reader=OPERATOR, task_id=UUID(int=9)) is None
