"""One employee's own account: balance, statement by day, and payouts.

Everybody may read their own and nobody another's. Amounts are integer cents with the sign with
which they move the account; all sums are made in SQL.
"""

import datetime as dt
from uuid import UUID

import duckdb
import msgspec

from warehouse.reading import (
    Reader,
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
        state = read_lake_state(connection)
        today = state.today(local_date)
        last = last or today
        first = last - dt.timedelta(days=count_days - 1)
        newest = today - dt.timedelta(days=DAYS_PICTURED - 1)
        found = read_account_days(connection, employee_id, min(first, newest), max(last, today))
        days = {day.business_date: day for day in found}
        account, dates = str(employee_id), {"first": first, "last": last}
        [sums] = rows(connection, _Sums, "own_sums", account=account, **dates)
        payouts = rows(connection, OwnPayout, "own_payouts", employee_id=employee_id, **dates)
    return Account(
        balance_cents=days[today].closing_cents,
        today=days[today],
        newest_days=[day for date, day in days.items() if newest <= date <= today],
        days=[day for date, day in days.items() if first <= date <= last],
        fees_cents=sums.fees_cents,
        rewards_cents=sums.rewards_cents,
        payouts_cents=sums.payouts_cents,
        payouts=payouts,
    )


class _Sums(msgspec.Struct, frozen=True):
    fees_cents: int
    rewards_cents: int
    payouts_cents: int


def read_account_days(
    connection: duckdb.DuckDBPyConnection, employee_id: UUID, first: dt.date, last: dt.date
) -> list[AccountDay]:
    """Every day from the first to the last; for reads that have asked who may see it."""
    return rows(
        connection, AccountDay, "own_days", account=str(employee_id), first=first, last=last
    )
