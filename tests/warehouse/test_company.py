"""The company's figures at one snapshot: today's date, empty days, spans and who owes."""

import contextlib
import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from tests.dashboards.ledger import Ledger
from warehouse.company import DAYS_MAX, CompanyDay, read_company
from warehouse.lake import connect, create_tables
from warehouse.reading import OPERATOR
from warehouse.settings import LakeSettings

MONDAY = dt.date(2026, 3, 2)
TUESDAY, WEDNESDAY = MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)


@pytest.fixture
def ledger(lake_settings: LakeSettings) -> Iterator[Ledger]:
    """Monday was closed and paid; on Tuesday one fee was charged."""
    with contextlib.closing(connect(lake_settings)) as connection:
        create_tables(connection)
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
    assert (company.payouts_date, company.payouts_cents) == (MONDAY, 3_000)
    assert [one.amount_cents for one in company.payouts] == [3_000]


def test_today_is_never_a_closed_day_even_if_the_clock_says_so(ledger: Ledger) -> None:
    behind = read_company(ledger.connection, reader=OPERATOR, local_date=MONDAY, count_days=2)
    ahead = read_company(ledger.connection, reader=OPERATOR, local_date=WEDNESDAY, count_days=2)

    assert behind.today.business_date == TUESDAY
    assert ahead.today.business_date == WEDNESDAY


def test_reading_leaves_no_transaction_open(ledger: Ledger) -> None:
    read_company(ledger.connection, reader=OPERATOR, local_date=TUESDAY, count_days=DAYS_MAX)

    with pytest.raises(duckdb.TransactionException, match="no transaction is active"):
        ledger.connection.execute("rollback")


def test_a_payout_day_without_payouts_is_empty(ledger: Ledger) -> None:
    company = read_company(
        ledger.connection,
        reader=OPERATOR,
        local_date=TUESDAY,
        count_days=2,
        payouts_date=TUESDAY,
    )

    assert (company.payouts, company.payouts_cents) == ([], 0)
