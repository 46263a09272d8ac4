"""One employee's own account: balance, statement by day, and payouts.

Everybody may read their own and nobody another's. Amounts are integer cents with the sign with
which they move the account; all sums are made in SQL.
"""

import datetime as dt
from typing import NamedTuple
from uuid import UUID

import duckdb
import msgspec

from warehouse.reading import (
    Reader,
    read_closed_days,
    read_lake_state,
    require_self,
    rows,
    snapshot,
)

DAYS_MAX = 3_660  # ten years
DAYS_PICTURED = 14


class AccountDay(msgspec.Struct, frozen=True):
    """One business day: opening + fees + rewards + payouts = closing."""

    business_date: dt.date
    opening_cents: int
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    closing_cents: int
    count_entries: int
    is_closed: bool

    @property
    def earned_cents(self) -> int:
        """What the day's work came to, payouts apart; may be negative."""
        return self.fees_cents + self.rewards_cents


class OwnPayout(msgspec.Struct, frozen=True):
    """A positive balance that left at the end of a day."""

    entry_id: UUID
    business_date: dt.date
    amount_cents: int


class Account(msgspec.Struct, frozen=True):
    """Everything My account shows above its audit log, from one snapshot.

    `days` go from the span's first to its last, and the sums are theirs; the balance is that of
    this moment, and `newest_days` are the DAYS_PICTURED that end today.
    """

    balance_cents: int
    today: AccountDay
    newest_days: list[AccountDay]
    days: list[AccountDay]
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    payouts: list[OwnPayout]


def read_account(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    employee_id: UUID,
    local_date: dt.date,
    count_days: int,
    last: dt.date | None = None,
) -> Account:
    """`count_days` business days of the account up to `last`, or up to today.

    Raises ReadRefusedError.
    """
    require_self(reader, employee_id)
    assert 1 <= count_days <= DAYS_MAX
    with snapshot(connection):
        today = read_lake_state(connection).today(local_date)
        last = last or today
        span = _Span(last - dt.timedelta(days=count_days - 1), last)
        newest = _Span(today - dt.timedelta(days=DAYS_PICTURED - 1), today)
        read = _Span(min(span.first, newest.first), max(span.last, today))
        moved = _read_moved(connection, employee_id, read, span)
        days = _every_day(connection, read, moved)
        payouts = rows(
            connection, OwnPayout, "own_payouts",
            employee_id=employee_id, first=span.first, last=span.last,
        )  # fmt: skip
    sums = moved[0] if moved else NOTHING_MOVED
    return Account(
        balance_cents=days[today].closing_cents,
        today=days[today],
        newest_days=[days[date] for date in newest.dates()],
        days=[days[date] for date in span.dates()],
        fees_cents=sums.span_fees_cents,
        rewards_cents=sums.span_rewards_cents,
        payouts_cents=sums.span_payouts_cents,
        payouts=payouts,
    )


def read_account_day(
    connection: duckdb.DuckDBPyConnection, employee_id: UUID, date: dt.date
) -> AccountDay:
    """One day of the account; for reads that have asked who may see it."""
    span = _Span(date, date)
    moved = _read_moved(connection, employee_id, span, span)
    return _every_day(connection, span, moved)[date]


class _Span(NamedTuple):
    first: dt.date
    last: dt.date

    def dates(self) -> list[dt.date]:
        count = (self.last - self.first).days + 1
        return [self.first + dt.timedelta(days=number) for number in range(count)]


class _Moved(msgspec.Struct, frozen=True):
    """A row of `own_days`."""

    business_date: dt.date
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    count_entries: int
    closing_cents: int
    span_fees_cents: int
    span_rewards_cents: int
    span_payouts_cents: int


NOTHING_MOVED = _Moved(dt.date.min, 0, 0, 0, 0, 0, 0, 0, 0)


def _read_moved(
    connection: duckdb.DuckDBPyConnection, employee_id: UUID, read: _Span, span: _Span
) -> list[_Moved]:
    return rows(
        connection, _Moved, "own_days", account=str(employee_id),
        first=read.first, last=read.last, span_first=span.first, span_last=span.last,
    )  # fmt: skip


def _every_day(
    connection: duckdb.DuckDBPyConnection, read: _Span, moved: list[_Moved]
) -> dict[dt.date, AccountDay]:
    """The days of the statement, also those on which nothing moved: they end as they began."""
    closed = read_closed_days(connection, *read)
    by_date = {each.business_date: each for each in moved}
    closing_cents = next((one.closing_cents for one in moved if one.business_date < read.first), 0)
    days = {}
    for date in read.dates():
        opening_cents, one = closing_cents, by_date.get(date, NOTHING_MOVED)
        closing_cents = one.closing_cents if date in by_date else opening_cents
        days[date] = AccountDay(
            date, opening_cents, one.fees_cents, one.rewards_cents, one.payouts_cents,
            closing_cents, one.count_entries, date in closed,
        )  # fmt: skip
    return days
