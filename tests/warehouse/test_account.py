"""One's own account against a ledger of random days that this test adds up by itself."""

import contextlib
import datetime as dt
import random
from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.dashboards.ledger import Fact, Ledger
from warehouse.account import AccountDay, read_account
from warehouse.account_entries import Entries, read_entries, read_explanation
from warehouse.lake import connect, create_tables
from warehouse.reading import Reader, ReadRefusedError
from warehouse.settings import LakeSettings

# Both days on which the clocks of Europe changed lie within.
FIRST = dt.date(2026, 3, 20)
COUNT_DAYS = 230
LAST = FIRST + dt.timedelta(days=COUNT_DAYS - 1)
ANNA, BORIS, CLARA = (UUID(int=number) for number in (1, 2, 3))
READER = Reader(role="worker", employee_id=ANNA)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Anna and Boris work at random and are paid each night but the last; Clara never did."""
    folder = tmp_path_factory.mktemp("account")
    settings = LakeSettings(
        lake_catalog_url=f"duckdb:///{folder / 'catalog.db'}", lake_data_path=str(folder / "lake")
    )
    with contextlib.closing(connect(settings)) as connection:
        create_tables(connection)
        ledger = Ledger(connection)
        for employee_id, name in ((ANNA, "Anna"), (BORIS, "Boris"), (CLARA, "Clara")):
            ledger.employee(employee_id, name)
        _work(ledger, random.Random(5))
        ledger.write()
        yield ledger


def _work(ledger: Ledger, rng: random.Random) -> None:
    balances = dict.fromkeys((ANNA, BORIS), 0)
    for back in range(COUNT_DAYS):
        date = FIRST + dt.timedelta(days=back)
        for _ in range(rng.randrange(4)):
            employee_id = rng.choice([ANNA, BORIS])
            task_id = ledger.task(
                date, rng.choice(["wash", "feed"]), jira_id=rng.choice([None, "POPUG-1"])
            )
            if rng.random() < 0.6:
                cents = rng.randrange(1_000, 2_001)
                ledger.fee(employee_id, date, cents, task_id)
                balances[employee_id] -= cents
            else:
                cents = rng.randrange(2_000, 4_001)
                ledger.reward(employee_id, date, cents, task_id)
                balances[employee_id] += cents
        if date < LAST:
            due = {one: cents for one, cents in balances.items() if cents > 0}
            ledger.pay(date, due)
            balances |= dict.fromkeys(due, 0)


def added_up(facts: list[Fact], date: dt.date) -> AccountDay:
    """A day of the statement by plain addition."""

    def total(kind: str) -> int:
        return sum(fact.cents for fact in facts if fact.date == date and fact.kind == kind)

    opening = sum(fact.cents for fact in facts if fact.date < date)
    fees, rewards, payouts = total("fee"), total("reward"), total("payout")
    count = sum(fact.date == date for fact in facts)
    closing = opening + fees + rewards + payouts
    return AccountDay(
        date, opening, fees, rewards, payouts, closing, count, is_closed=FIRST <= date < LAST
    )


@pytest.mark.parametrize("count_days", [1, 14, 90, COUNT_DAYS + 10])
def test_every_day_of_the_statement_adds_up(ledger: Ledger, count_days: int) -> None:
    facts = [fact for fact in ledger.facts if fact.employee_id == ANNA]

    account = read_account(
        ledger.connection, reader=READER, employee_id=ANNA, local_date=LAST, count_days=count_days
    )

    dates = [LAST - dt.timedelta(days=back) for back in reversed(range(count_days))]
    assert account.days == [added_up(facts, date) for date in dates]
    assert account.today == account.days[-1]
    assert account.balance_cents == sum(fact.cents for fact in facts)
    assert account.fees_cents == sum(day.fees_cents for day in account.days)
    assert account.rewards_cents == sum(day.rewards_cents for day in account.days)
    assert account.payouts_cents == sum(day.payouts_cents for day in account.days)
    paid = [(fact.date, -fact.cents) for fact in facts if fact.kind == "payout"]
    assert [(one.business_date, one.amount_cents) for one in account.payouts] == [
        one for one in reversed(paid) if one[0] in dates
    ]


def test_the_audit_log_runs_through_to_the_balance(ledger: Ledger) -> None:
    facts = [fact for fact in ledger.facts if fact.employee_id == ANNA]
    balances = [sum(fact.cents for fact in facts[: index + 1]) for index in range(len(facts))]

    entries = read_entries(
        ledger.connection, reader=READER, employee_id=ANNA, first=FIRST, last=LAST
    )

    assert [one.entry_id for one in entries.page] == [one.entry_id for one in reversed(facts)]
    assert [one.balance_cents for one in entries.page] == balances[::-1]
    assert (entries.count_entries, entries.total_cents) == (len(facts), balances[-1])


@pytest.mark.parametrize("page_entries", [1, 7, 1_000])
def test_pages_of_the_audit_log_make_up_the_whole(ledger: Ledger, page_entries: int) -> None:
    first, last = LAST - dt.timedelta(days=40), LAST - dt.timedelta(days=3)
    facts = [
        fact for fact in ledger.facts if fact.employee_id == ANNA and first <= fact.date <= last
    ]

    def read(count_skipped: int) -> Entries:
        return read_entries(
            ledger.connection, reader=READER, employee_id=ANNA, first=first, last=last,
            count_max=page_entries, count_skipped=count_skipped,
        )  # fmt: skip

    pages = [read(start) for start in range(0, len(facts) + page_entries, page_entries)]

    found = [entry.entry_id for page in pages for entry in page.page]
    assert found == [fact.entry_id for fact in reversed(facts)]
    assert pages[-1].page == []
    assert {page.count_entries for page in pages} == {len(facts)}
    assert {page.total_cents for page in pages} == {sum(fact.cents for fact in facts)}


@pytest.mark.parametrize("kinds", [("fee",), ("reward", "payout"), ("fee", "reward", "payout")])
@pytest.mark.parametrize("text", ["", "WASH", "popug-1"])
def test_totals_follow_the_filter_and_balances_do_not(
    ledger: Ledger, kinds: tuple[str, ...], text: str
) -> None:
    first, last = FIRST + dt.timedelta(days=60), LAST - dt.timedelta(days=30)
    whole = read_entries(ledger.connection, reader=READER, employee_id=ANNA, first=FIRST, last=LAST)
    expected = [
        one for one in whole.page
        if first <= one.business_date <= last and one.kind in kinds
        and text.lower() in f"{one.jira_id or ''} {one.title or ''}".lower()
    ]  # fmt: skip

    entries = read_entries(
        ledger.connection, reader=READER, employee_id=ANNA, first=first, last=last,
        kinds=kinds, text=text, count_max=5, count_skipped=2,  # type: ignore[arg-type]
    )  # fmt: skip

    def total(*wanted: str) -> int:
        return sum(one.amount_cents for one in expected if one.kind in wanted)

    assert len(expected) > 7
    assert entries.page == expected[2:7]
    assert entries.count_entries == len(expected)
    assert entries.fees_cents == total("fee")
    assert entries.rewards_cents == total("reward")
    assert entries.payouts_cents == total("payout")
    assert entries.total_cents == total(*kinds)


def test_a_sum_is_explained_down_to_its_event(ledger: Ledger) -> None:
    fact = next(one for one in ledger.facts if one.employee_id == ANNA and one.kind == "reward")

    explanation = read_explanation(
        ledger.connection, reader=READER, employee_id=ANNA,
        entry_id=fact.entry_id, business_date=fact.date,
    )  # fmt: skip

    assert explanation is not None
    assert explanation.entry.amount_cents == fact.cents
    assert explanation.cause is not None
    assert explanation.cause.event_id == fact.entry_id
    assert explanation.cause.type == "task.completed"
    assert fact.title in explanation.cause.data


def test_a_payout_is_explained_by_its_day(ledger: Ledger) -> None:
    fact = next(one for one in ledger.facts if one.employee_id == ANNA and one.kind == "payout")

    explanation = read_explanation(
        ledger.connection, reader=READER, employee_id=ANNA,
        entry_id=fact.entry_id, business_date=fact.date,
    )  # fmt: skip

    assert explanation is not None
    assert explanation.cause is None
    day = explanation.day
    assert day.opening_cents + day.fees_cents + day.rewards_cents == -fact.cents


def test_nobodys_entry_is_explained_to_somebody_else(ledger: Ledger) -> None:
    fact = next(one for one in ledger.facts if one.employee_id == BORIS)

    found = read_explanation(
        ledger.connection, reader=READER, employee_id=ANNA,
        entry_id=fact.entry_id, business_date=fact.date,
    )  # fmt: skip

    assert found is None


def test_an_employee_without_entries_has_an_empty_account(ledger: Ledger) -> None:
    reader = Reader(role="manager", employee_id=CLARA)

    account = read_account(
        ledger.connection, reader=reader, employee_id=CLARA, local_date=LAST, count_days=3
    )
    entries = read_entries(
        ledger.connection, reader=reader, employee_id=CLARA, first=FIRST, last=LAST
    )

    assert (account.balance_cents, account.payouts) == (0, [])
    assert [day.count_entries for day in account.days] == [0, 0, 0]
    assert (entries.count_entries, entries.page) == (0, [])


@pytest.mark.parametrize("reader", [Reader(role="admin", employee_id=BORIS), Reader(role="admin")])
def test_an_account_is_its_owners_alone(ledger: Ledger, reader: Reader) -> None:
    with pytest.raises(ReadRefusedError):
        read_account(
            ledger.connection, reader=reader, employee_id=ANNA, local_date=LAST, count_days=1
        )
    with pytest.raises(ReadRefusedError):
        read_entries(ledger.connection, reader=reader, employee_id=ANNA, first=FIRST, last=LAST)
    with pytest.raises(ReadRefusedError):
        read_explanation(
            ledger.connection, reader=reader, employee_id=ANNA,
            entry_id=UUID(int=1), business_date=FIRST,
        )  # fmt: skip
