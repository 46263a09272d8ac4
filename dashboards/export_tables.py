"""What each export holds: the figures of its page, all rows of them, read when asked for."""

import datetime as dt
from collections.abc import Callable, Mapping
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
from dashboards.tables import Table
from dashboards.wording import amount, kind_name
from warehouse.account import DAYS_MAX, read_account
from warehouse.account_entries import KINDS, read_entries
from warehouse.company import Company, read_company
from warehouse.company_day import read_company_day
from warehouse.deliveries import read_deliveries_of_day, read_own_deliveries

Query = Mapping[str, str]


def statement(viewer: Viewer, query: Query) -> Table:
    """The days of one's own account on which anything moved."""
    first, last = _dates(query)
    account = lake.read(
        lambda each: read_account(
            each, reader=viewer.reader, employee_id=viewer.employee_id,
            local_date=today_on_the_clock(), count_days=(last - first).days + 1, last=last,
        )
    )  # fmt: skip
    return Table(
        file_name=f"statement-{first}-{last}",
        title=_("Statement"),
        columns=[_("Day"), _("Opening"), _("Fees"), _("Rewards"), _("Paid out"), _("Closing")],
        rows=[
            [
                one.business_date, amount(one.opening_cents), amount(one.fees_cents),
                amount(one.rewards_cents), amount(one.payouts_cents), amount(one.closing_cents),
            ]
            for one in account.days if one.count_entries > 0
        ],
    )  # fmt: skip


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
    return Table(
        file_name=f"entries-{first}-{last}",
        title=_("Audit log"),
        columns=[
            _("Time ({zone})").format(zone=zone.key), _("Business day"), _("Kind"), _("Jira id"),
            _("Task"), _("Amount"), _("Balance after"), _("Entry"),
        ],
        rows=[
            [
                one.occurred_at.astimezone(zone), one.business_date, kind_name(one.kind),
                one.jira_id, one.title, amount(one.amount_cents), amount(one.balance_cents),
                str(one.entry_id),
            ]
            for one in found.page
        ],
    )  # fmt: skip


def own_payouts(viewer: Viewer, query: Query) -> Table:
    """What was paid to whoever asks."""
    first, last = _dates(query)
    account = lake.read(
        lambda each: read_account(
            each, reader=viewer.reader, employee_id=viewer.employee_id,
            local_date=today_on_the_clock(), count_days=(last - first).days + 1, last=last,
        )
    )  # fmt: skip
    deliveries = ask_tracker(
        lambda each: read_own_deliveries(
            each, reader=viewer.reader, employee_id=viewer.employee_id, first=first, last=last
        )
    )
    return Table(
        file_name=f"payouts-{first}-{last}",
        title=_("Payouts"),
        columns=[_("Day"), _("Paid"), _("E-mail"), _("Entry")],
        rows=[
            [
                one.business_date, amount(one.amount_cents),
                mail_state(deliveries, one.entry_id), str(one.entry_id),
            ]
            for one in account.payouts
        ],
    )  # fmt: skip


def company_days(viewer: Viewer, query: Query) -> Table:
    """Earnings by day."""
    first, last = _dates(query)
    company = _company(viewer, (last - first).days + 1, last)
    return Table(
        file_name=f"earnings-{first}-{last}",
        title=_("Earnings"),
        columns=[_("Day"), _("Fees"), _("Rewards"), _("Earnings"), _("Paid out"), _("State")],
        rows=[
            [
                one.business_date, amount(one.fees_cents), amount(one.rewards_cents),
                amount(one.earnings_cents), amount(one.payouts_cents),
                _("closed") if one.is_closed else _("open"),
            ]
            for one in company.days
        ],
    )  # fmt: skip


def balances(viewer: Viewer, _query: Query) -> Table:
    """Every employee's account."""
    company = _company(viewer, 1, None)
    return Table(
        file_name=f"balances-{company.today.business_date}",
        title=_("Balances now"),
        columns=[_("Employee"), _("Role"), _("Balance"), _("Works here"), _("Employee id")],
        rows=[
            [
                one.name, role_name(one.role), amount(one.balance_cents),
                _("yes") if one.is_active else _("no"), str(one.employee_id),
            ]
            for one in company.balances
        ],
    )  # fmt: skip


def payouts(viewer: Viewer, query: Query) -> Table:
    """Who was paid for a day."""
    day = dt.date.fromisoformat(query.get("day", ""))
    detail = lake.read(
        lambda each: read_company_day(each, reader=viewer.reader, business_date=day, count_max=1)
    )
    deliveries = ask_tracker(
        lambda each: read_deliveries_of_day(each, reader=viewer.reader, business_date=day)
    )
    return Table(
        file_name=f"payouts-{day}",
        title=_("Payouts"),
        columns=[_("Employee"), _("Paid"), _("E-mail"), _("Entry")],
        rows=[
            [
                one.name or _("unknown"), amount(one.amount_cents),
                mail_state(deliveries, one.entry_id), str(one.entry_id),
            ]
            for one in detail.payouts
        ],
    )  # fmt: skip


def company_entries(viewer: Viewer, query: Query) -> Table:
    """Fees and rewards of a day, filtered like the page."""
    day, text = dt.date.fromisoformat(query.get("day", "")), query.get("text", "")
    detail = lake.read(
        lambda each: read_company_day(each, reader=viewer.reader, business_date=day, text=text)
    )
    zone = _zone()
    return Table(
        file_name=f"entries-{day}",
        title=_("Entries"),
        columns=[
            _("Time ({zone})").format(zone=zone.key), _("Kind"), _("Employee"), _("Jira id"),
            _("Task"), _("For the company"), _("Entry"),
        ],
        rows=[
            [
                one.occurred_at.astimezone(zone), kind_name(one.kind),
                one.employee or _("unknown"), one.jira_id, one.title, amount(one.amount_cents),
                str(one.entry_id),
            ]
            for one in detail.entries
        ],
    )  # fmt: skip


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


def _company(viewer: Viewer, count_days: int, last: dt.date | None) -> Company:
    def ask(connection: duckdb.DuckDBPyConnection) -> Company:
        return read_company(
            connection, reader=viewer.reader,
            local_date=today_on_the_clock(), count_days=count_days, last=last,
        )  # fmt: skip

    return lake.read(ask)


def _zone() -> ZoneInfo:
    return read_environment(DashboardSettings).zone
