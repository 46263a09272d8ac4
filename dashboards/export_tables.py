"""What each export holds: the figures of its page, all rows of them, read when asked for."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from zoneinfo import ZoneInfo

import duckdb

from contracts.environment import read_environment
from dashboards import lake
from dashboards.access import Viewer
from dashboards.figures import ask_tracker, today_on_the_clock
from dashboards.frame import role_name
from dashboards.languages import _
from dashboards.mails import mail_state
from dashboards.settings import DashboardSettings
from dashboards.tables import Cell, Table
from dashboards.wording import amount, kind_name
from warehouse.account import DAYS_MAX, Account, read_account
from warehouse.account_entries import KINDS, read_entries
from warehouse.company import Company, read_company
from warehouse.company_day import read_company_day
from warehouse.deliveries import read_deliveries_of_day, read_own_deliveries

Query = Mapping[str, str]
T = TypeVar("T")


def statement(viewer: Viewer, query: Query) -> Table:
    """The days of one's own account on which anything moved."""
    first, last = _dates(query)
    days = _account(viewer, first, last).days
    return _table(
        f"statement-{first}-{last}",
        _("Statement"),
        [one for one in days if one.count_entries > 0],
        {
            _("Day"): lambda one: one.business_date,
            _("Opening"): lambda one: amount(one.opening_cents),
            _("Fees"): lambda one: amount(one.fees_cents),
            _("Rewards"): lambda one: amount(one.rewards_cents),
            _("Paid out"): lambda one: amount(one.payouts_cents),
            _("Closing"): lambda one: amount(one.closing_cents),
        },
    )


def entries(viewer: Viewer, query: Query) -> Table:
    """One's own audit log, filtered like the page."""
    first, last = _dates(query)
    asked = query.get("kinds", "").split(",")
    kinds = tuple(kind for kind in KINDS if kind in asked) or KINDS
    found = lake.read(
        lambda each: read_entries(
            each, reader=viewer.reader, employee_id=viewer.employee_id,
            first=first, last=last, kinds=kinds, text=query.get("text", ""),
        )
    )  # fmt: skip
    zone = _zone()
    return _table(
        f"entries-{first}-{last}",
        _("Audit log"),
        found.page,
        {
            _("Time ({zone})").format(zone=zone.key): lambda one: one.occurred_at.astimezone(zone),
            _("Business day"): lambda one: one.business_date,
            _("Kind"): lambda one: kind_name(one.kind),
            _("Jira id"): lambda one: one.jira_id,
            _("Task"): lambda one: one.title,
            _("Amount"): lambda one: amount(one.amount_cents),
            _("Balance after"): lambda one: amount(one.balance_cents),
            _("Entry"): lambda one: str(one.entry_id),
        },
    )


def own_payouts(viewer: Viewer, query: Query) -> Table:
    """What was paid to whoever asks."""
    first, last = _dates(query)
    deliveries = ask_tracker(
        lambda each: read_own_deliveries(
            each, reader=viewer.reader, employee_id=viewer.employee_id, first=first, last=last
        )
    )
    return _table(
        f"payouts-{first}-{last}",
        _("Payouts"),
        _account(viewer, first, last).payouts,
        {
            _("Day"): lambda one: one.business_date,
            _("Paid"): lambda one: amount(one.amount_cents),
            _("E-mail"): lambda one: mail_state(deliveries, one.entry_id),
            _("Entry"): lambda one: str(one.entry_id),
        },
    )


def company_days(viewer: Viewer, query: Query) -> Table:
    """Earnings by day."""
    first, last = _dates(query)
    return _table(
        f"earnings-{first}-{last}",
        _("Earnings"),
        _company(viewer, (last - first).days + 1, last).days,
        {
            _("Day"): lambda one: one.business_date,
            _("Fees"): lambda one: amount(one.fees_cents),
            _("Rewards"): lambda one: amount(one.rewards_cents),
            _("Earnings"): lambda one: amount(one.earnings_cents),
            _("Paid out"): lambda one: amount(one.payouts_cents),
            _("State"): lambda one: _("closed") if one.is_closed else _("open"),
        },
    )


def balances(viewer: Viewer, _query: Query) -> Table:
    """Every employee's account."""
    company = _company(viewer, 1, None)
    return _table(
        f"balances-{company.today.business_date}",
        _("Balances now"),
        company.balances,
        {
            _("Employee"): lambda one: one.name,
            _("Role"): lambda one: role_name(one.role),
            _("Balance"): lambda one: amount(one.balance_cents),
            _("Works here"): lambda one: _("yes") if one.is_active else _("no"),
            _("Employee id"): lambda one: one.account,
        },
    )


def payouts(viewer: Viewer, query: Query) -> Table:
    """Who was paid for a day."""
    day = dt.date.fromisoformat(query.get("day", ""))
    detail = lake.read(
        lambda each: read_company_day(each, reader=viewer.reader, business_date=day, count_max=1)
    )
    deliveries = ask_tracker(
        lambda each: read_deliveries_of_day(each, reader=viewer.reader, business_date=day)
    )
    return _table(
        f"payouts-{day}",
        _("Payouts"),
        detail.payouts,
        {
            _("Employee"): lambda one: one.name or _("unknown"),
            _("Paid"): lambda one: amount(one.amount_cents),
            _("E-mail"): lambda one: mail_state(deliveries, one.entry_id),
            _("Entry"): lambda one: str(one.entry_id),
        },
    )


def company_entries(viewer: Viewer, query: Query) -> Table:
    """Fees and rewards of a day, filtered like the page."""
    day, text = dt.date.fromisoformat(query.get("day", "")), query.get("text", "")
    detail = lake.read(
        lambda each: read_company_day(each, reader=viewer.reader, business_date=day, text=text)
    )
    zone = _zone()
    return _table(
        f"entries-{day}",
        _("Entries"),
        detail.entries,
        {
            _("Time ({zone})").format(zone=zone.key): lambda one: one.occurred_at.astimezone(zone),
            _("Kind"): lambda one: kind_name(one.kind),
            _("Employee"): lambda one: one.employee or _("unknown"),
            _("Jira id"): lambda one: one.jira_id,
            _("Task"): lambda one: one.title,
            _("For the company"): lambda one: amount(one.amount_cents),
            _("Entry"): lambda one: str(one.entry_id),
        },
    )


EXPORTS: Mapping[str, Callable[[Viewer, Query], Table]] = {
    "statement": statement,
    "entries": entries,
    "own-payouts": own_payouts,
    "company-days": company_days,
    "balances": balances,
    "payouts": payouts,
    "company-entries": company_entries,
}


def _dates(query: Query) -> tuple[dt.date, dt.date]:
    """The dates `first` and `last`; raises ValueError for what is no span of days."""
    first = dt.date.fromisoformat(query.get("first", ""))
    last = dt.date.fromisoformat(query.get("last", ""))
    if not dt.timedelta(0) <= last - first < dt.timedelta(days=DAYS_MAX):
        raise ValueError(f"{first} to {last} is no span of days")
    return first, last


def _table(
    file_name: str, title: str, found: Sequence[T], cells: Mapping[str, Callable[[T], Cell]]
) -> Table:
    """A row for each thing that was found; a column's name stands beside what is in it."""
    return Table(
        file_name=file_name,
        title=title,
        columns=[*cells],
        rows=[[cell(one) for cell in cells.values()] for one in found],
    )


def _account(viewer: Viewer, first: dt.date, last: dt.date) -> Account:
    return lake.read(
        lambda each: read_account(
            each, reader=viewer.reader, employee_id=viewer.employee_id,
            local_date=today_on_the_clock(), count_days=(last - first).days + 1, last=last,
        )
    )  # fmt: skip


def _company(viewer: Viewer, count_days: int, last: dt.date | None) -> Company:
    def ask(connection: duckdb.DuckDBPyConnection) -> Company:
        return read_company(
            connection, reader=viewer.reader,
            local_date=today_on_the_clock(), count_days=count_days, last=last,
        )  # fmt: skip

    return lake.read(ask)


def _zone() -> ZoneInfo:
    return read_environment(DashboardSettings).zone
