"""The company's own figures, for management: earnings by day and employees' balances.

All of them come from one snapshot of the lake, so they agree with each other; all sums are made
in SQL. Amounts are integer cents.
"""

import datetime as dt

import duckdb
import msgspec

from warehouse.reading import (
    MANAGEMENT,
    LakeState,
    Reader,
    Role,
    read_closed_days,
    read_lake_state,
    require_role,
    rows,
    snapshot,
    text_of,
)

DAYS_MAX = 3_660  # ten years
ONE_DAY = dt.timedelta(days=1)
NOTHING_MOVED = (None, 0, 0, 0, 0)  # as a row of `company_days`


class CompanyDay(msgspec.Struct, frozen=True):
    """One business day: `earnings_cents` = fees charged - rewards credited; payouts apart."""

    business_date: dt.date
    fees_cents: int
    rewards_cents: int
    earnings_cents: int
    payouts_cents: int
    is_closed: bool


class Span(msgspec.Struct, frozen=True):
    """Several business days added up."""

    fees_cents: int
    rewards_cents: int
    earnings_cents: int
    payouts_cents: int
    count_negative_days: int


class EmployeeBalance(msgspec.Struct, frozen=True):
    """One employee's account, which bears their id; the last two are the same for all, and 0 when
    nobody has a debt.
    """

    account: str
    name: str
    role: Role
    is_active: bool
    balance_cents: int
    count_below_zero: int
    below_zero_cents: int


class Company(msgspec.Struct, frozen=True):
    """Everything the company page shows above its single day, from one snapshot.

    `days` go from the span's first to its last, `before` is as many days before them; `balances`
    begin with the deepest debt.
    """

    state: LakeState
    today: CompanyDay
    yesterday: CompanyDay
    days: list[CompanyDay]
    span: Span
    before: Span
    balances: list[EmployeeBalance]

    @property
    def count_below_zero(self) -> int:
        """Employees whose balance is negative now."""
        return self.balances[0].count_below_zero if self.balances else 0

    @property
    def below_zero_cents(self) -> int:
        """What they owe together, negative."""
        return self.balances[0].below_zero_cents if self.balances else 0


def read_company(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    local_date: dt.date,
    count_days: int,
    last: dt.date | None = None,
) -> Company:
    """`count_days` business days up to `last`, or up to today. Raises ReadRefusedError.

    Today is the local date, or the day after the last closed one if that is later, as the tracker
    counts it.
    """
    require_role(reader, MANAGEMENT)
    assert 1 <= count_days <= DAYS_MAX
    with snapshot(connection):
        state = read_lake_state(connection)
        today = state.today(local_date)
        yesterday = today - ONE_DAY
        last = last or today
        first = last - (count_days - 1) * ONE_DAY
        days = read_days(connection, min(first, yesterday), max(last, today))
        span, before = rows(
            connection, Span, "company_spans",
            first=first, last=last, before=first - count_days * ONE_DAY,
        )  # fmt: skip
        balances = rows(connection, EmployeeBalance, "company_balances")
    return Company(
        state=state,
        today=days[today],
        yesterday=days[yesterday],
        days=[day for date, day in days.items() if first <= date <= last],
        span=span,
        before=before,
        balances=balances,
    )


def read_days(
    connection: duckdb.DuckDBPyConnection, first: dt.date, last: dt.date
) -> dict[dt.date, CompanyDay]:
    """Every day from the first to the last; for reads that have asked who may see it."""
    values = {"first": first, "last": last}
    moved = {row[0]: row for row in connection.execute(text_of("company_days"), values).fetchall()}
    closed = read_closed_days(connection, first, last)
    days = {}
    for number in range((last - first).days + 1):
        date = first + number * ONE_DAY
        _, fees_cents, rewards_cents, earnings_cents, payouts_cents = moved.get(date, NOTHING_MOVED)
        days[date] = CompanyDay(
            date, fees_cents, rewards_cents, earnings_cents, payouts_cents, date in closed
        )
    return days
