"""The company's own figures, for management: earnings by day, employees' balances, payouts.

All of them come from one snapshot of the lake, so they agree with each other; all sums are made
in SQL. Amounts are integer cents.
"""

import datetime as dt
from uuid import UUID

import duckdb
import msgspec

from warehouse.reading import (
    MANAGEMENT,
    LakeState,
    Reader,
    read_lake_state,
    require_role,
    rows,
    snapshot,
)

DAYS_MIN = 2  # today and yesterday
DAYS_MAX = 3_660  # ten years


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
    """One employee's account; the last two are the same for all, and 0 when nobody has a debt."""

    employee_id: UUID
    name: str
    role: str
    is_active: bool
    balance_cents: int
    count_below_zero: int
    below_zero_cents: int


class EmployeePayout(msgspec.Struct, frozen=True):
    """What one employee was paid; `name` is None for somebody the lake does not know yet."""

    employee_id: UUID
    name: str | None
    amount_cents: int


class Company(msgspec.Struct, frozen=True):
    """Everything the company page shows, from one snapshot.

    `days` go from the span's first to its last; `balances` begin with the deepest debt.
    """

    state: LakeState
    today: CompanyDay
    days: list[CompanyDay]
    span: Span
    balances: list[EmployeeBalance]
    payouts_date: dt.date | None
    payouts: list[EmployeePayout]
    payouts_cents: int

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
    payouts_date: dt.date | None = None,
) -> Company:
    """The last `count_days` business days up to today, and the payouts of a date.

    Today is the local date, or the day after the last closed one if that is later, as the tracker
    counts it. Without a `payouts_date` the newest paid day is taken. Raises ReadRefusedError.
    """
    require_role(reader, MANAGEMENT)
    assert DAYS_MIN <= count_days <= DAYS_MAX
    with snapshot(connection):
        state = read_lake_state(connection)
        today = state.today(local_date)
        dates = {"first": today - dt.timedelta(days=count_days - 1), "last": today}
        days = rows(connection, CompanyDay, "company_days", **dates)
        [span] = rows(connection, Span, "company_span", **dates)
        balances = rows(connection, EmployeeBalance, "company_balances")
        payouts_date = payouts_date or state.paid_through
        [payouts_day] = rows(
            connection, CompanyDay, "company_days",
            first=payouts_date or today, last=payouts_date or today,
        )  # fmt: skip
        payouts = rows(
            connection, EmployeePayout, "company_payouts", business_date=payouts_date or today
        )
    return Company(
        state=state,
        today=days[-1],
        days=days,
        span=span,
        balances=balances,
        payouts_date=payouts_date,
        payouts=payouts,
        payouts_cents=payouts_day.payouts_cents,
    )
