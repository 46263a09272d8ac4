"""What came of it all, in figures that a manager would ask for: read from the lake and printed."""

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import msgspec
from sqlalchemy import Engine, text

from ates.commands.verify import failing_lines
from warehouse.analytics import PERIODS, DearestDay, Period, read_dearest
from warehouse.checks import Verification, verify
from warehouse.company import Company, read_company
from warehouse.company_day import CompanyDayDetail, read_company_day
from warehouse.reading import OPERATOR

if TYPE_CHECKING:
    from rich.console import Console

DAYS_SHOWN = 8  # today and the last seven days
DEBTORS_SHOWN_MAX = 3
PAYOUTS_SHOWN_MAX = 5

_LAST_PAYOUTS = "select max(business_date) from lake.ledger.payouts"
_HAS_MAIL = text("select to_regclass('mail.deliveries') is not null")
_MAILS = text("""
select state, count(*), count(*) filter (where business_date = :day)
from mail.deliveries group by state order by state
""")


class Summary(msgspec.Struct, frozen=True):
    """Everything the summary says; `mails` are (state, count in all, count of the payouts' day)."""

    company: Company
    paid: CompanyDayDetail | None
    dearest: dict[Period, DearestDay | None]
    mails: list[tuple[str, int, int]]
    verification: Verification


def read_summary(
    lake: duckdb.DuckDBPyConnection, engine: Engine, *, now: dt.datetime, zone: ZoneInfo
) -> Summary:
    """Read it; the connection has the lake as `lake` and the tracker as `tracker`."""
    row = lake.execute(_LAST_PAYOUTS).fetchone()
    payouts_date = row[0] if row is not None else None
    company = read_company(
        lake,
        reader=OPERATOR,
        local_date=now.astimezone(zone).date(),
        count_days=DAYS_SHOWN,
    )
    paid = None
    if payouts_date is not None:
        paid = read_company_day(lake, reader=OPERATOR, business_date=payouts_date)
    mails: list[tuple[str, int, int]] = []
    with engine.begin() as connection:
        if connection.execute(_HAS_MAIL).scalar_one():
            rows = connection.execute(_MAILS, {"day": payouts_date})
            mails = [(each[0], each[1], each[2]) for each in rows]
    return Summary(
        company=company,
        paid=paid,
        dearest={
            period: read_dearest(
                lake, reader=OPERATOR, today=company.today.business_date, period=period
            ).of_span
            for period in PERIODS
        },
        mails=mails,
        verification=verify(lake),
    )


def show_summary(console: "Console", summary: Summary) -> None:
    """Print it, on a terminal and in a log alike."""
    _show_days(console, summary.company)
    _show_debts(console, summary.company)
    _show_dearest(console, summary)
    _show_payouts(console, summary)
    _show_verification(console, summary.verification)


def money(cents: int) -> str:
    """Cents as units with two decimals: `-1,234.50`."""
    sign = "-" if cents < 0 else ""
    units, rest = divmod(abs(cents), 100)
    return f"{sign}{units:,}.{rest:02}"


def _show_days(console: "Console", company: Company) -> None:
    from rich.table import Table

    console.rule("Earnings of the company, today and the last seven days", align="left")
    table = Table(box=None, pad_edge=False)
    for name in ("day", "fees charged", "rewards credited", "earnings", "paid out"):
        table.add_column(name, justify="left" if name == "day" else "right")
    for day in reversed(company.days):
        is_today = day is company.days[-1]
        table.add_row(
            f"{day.business_date}{' today' if is_today else ''}",
            money(day.fees_cents),
            money(day.rewards_cents),
            money(day.earnings_cents),
            money(day.payouts_cents),
        )
    console.print(table)


def _show_debts(console: "Console", company: Company) -> None:
    console.rule("Employees below zero", align="left")
    console.print(
        f"{company.count_below_zero:,} of {len(company.balances):,} employees, "
        f"{money(company.below_zero_cents)} together; the deepest:"
    )
    for balance in company.balances[:DEBTORS_SHOWN_MAX]:
        if balance.balance_cents < 0:
            console.print(f"  {money(balance.balance_cents):>10}  {balance.name}", markup=False)


def _show_dearest(console: "Console", summary: Summary) -> None:
    console.rule("Dearest completed task", align="left")
    names: dict[Period, str] = {"day": "today", "week": "this week", "month": "this month"}
    for period, name in names.items():
        task = summary.dearest[period]
        if task is None:
            console.print(f"  {name:<10}  none yet")
        else:
            what = f"{money(task.reward_cents):>8}  {task.title} ({task.business_date})"
            console.print(f"  {name:<10}  {what}", markup=False)


def _show_payouts(console: "Console", summary: Summary) -> None:
    if summary.paid is None:
        console.rule("Payouts and mails of no day yet", align="left")
    else:
        _show_payouts_of_day(console, summary.paid)
    of_day = ", ".join(f"{count:,} {state}" for state, _, count in summary.mails if count)
    in_all = ", ".join(f"{count:,} {state}" for state, count, _ in summary.mails if count)
    console.print(f"mails of that day: {of_day or 'none'}; of all days: {in_all or 'none'}")


def _show_payouts_of_day(console: "Console", paid: CompanyDayDetail) -> None:
    console.rule(f"Payouts and mails of {paid.day.business_date}", align="left")
    total = money(paid.day.payouts_cents)
    word = "payout" if len(paid.payouts) == 1 else "payouts"
    console.print(f"{len(paid.payouts):,} {word}, {total} together; the highest:")
    for payout in paid.payouts[:PAYOUTS_SHOWN_MAX]:
        console.print(f"  {money(payout.amount_cents):>10}  {payout.name}", markup=False)


def _show_verification(console: "Console", verification: Verification) -> None:
    console.rule("Verification", align="left")
    for line in failing_lines(verification):
        console.print(line, markup=False)
