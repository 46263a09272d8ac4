"""Part of Company: one business day with its certificate, payouts and entries, and a task's story.

Day, text, page and task stand in the page's address, so whatever is shown can be sent to somebody.
"""

import datetime as dt
from uuid import UUID

import pyarrow as pa
import streamlit as st

from contracts.environment import read_environment
from dashboards.access import Viewer
from dashboards.drawn import draw_once, made_once
from dashboards.figures import read_figures, read_from_tracker
from dashboards.frame import plain
from dashboards.languages import _, _n
from dashboards.mails import mail_state
from dashboards.settings import DashboardSettings
from dashboards.widgets import amounts, choose_page, show_close, show_downloads, show_table
from dashboards.wording import day, kind_name, moment, money, number
from warehouse.company import Company
from warehouse.company_day import (
    Certificate,
    CompanyDayDetail,
    CompanyEntry,
    TaskStory,
    read_company_day,
    read_task,
)
from warehouse.deliveries import Delivery, TrackerDatabaseSilentError, read_deliveries_of_day

ENTRIES_SHOWN = 50


def show_day(viewer: Viewer, company: Company) -> None:
    """The day somebody chose; at first the newest one that was paid."""
    st.subheader(_("One day"), anchor="day")
    today = company.today.business_date
    left, right = st.columns(2)
    chosen: dt.date = left.date_input(
        _("Business day"),
        value=company.state.paid_through or today,
        min_value=min(company.state.first_date or today, today),
        max_value=today,
        key="day",
        bind="query-params",
        required=True,
        format="YYYY-MM-DD",
    )
    text = right.text_input(
        _("Employee, title or Jira id holds"), key="text", bind="query-params"
    ).strip()
    detail = _page(viewer, chosen, text, 1)
    draw_once(show_certificate, detail)
    show_payouts(viewer, detail)
    if detail.count_entries > ENTRIES_SHOWN:
        page = choose_page("page", detail.count_entries, ENTRIES_SHOWN)
        detail = _page(viewer, chosen, text, page)
    show_entries(detail, text)
    show_task(viewer)


def _page(viewer: Viewer, business_date: dt.date, text: str, page: int) -> CompanyDayDetail:
    return read_figures(
        read_company_day, viewer, business_date=business_date, text=text,
        count_max=ENTRIES_SHOWN, count_skipped=(page - 1) * ENTRIES_SHOWN,
    )  # fmt: skip


def show_certificate(detail: CompanyDayDetail) -> None:
    """What the tracker certified of the day beside what the ledger holds."""
    certificate = detail.certificate
    zone = read_environment(DashboardSettings).zone
    if certificate is None:
        st.write(
            _(
                "{day} is still open: its figures may change, and nobody has been paid for it. "
                "It is closed and paid when it is over."
            ).format(day=day(detail.day.business_date))
        )
        return
    closed = _("{day} was closed on {moment}.").format(
        day=day(detail.day.business_date), moment=moment(certificate.closed_at, zone)
    )
    st.write(f"{closed} {verdict(certificate)}")
    show_table(
        {
            _("Certificate"): [_("Tracker"), _("Ledger")],
            _("Events"): [certificate.count_events, certificate.found_count_events],
            _("Fees"): amounts([certificate.fees_cents, certificate.found_fees_cents]),
            _("Rewards"): amounts([certificate.rewards_cents, certificate.found_rewards_cents]),
        },
        alt=_("The day as the tracker certified it and as the ledger holds it"),
    )


def verdict(certificate: Certificate) -> str:
    """Whether tracker and ledger agree, and what follows from it."""
    if certificate.agrees:
        text = _("Tracker and ledger agree.")
        return text if certificate.paid_at else text + " " + _("Its payouts are about to be made.")
    if certificate.paid_at is None:
        return _("**Not all of its events have arrived**, so nobody has been paid for it yet.")
    return _("**Tracker and ledger do not agree.** Please tell an admin: `ates verify` says more.")


def show_payouts(viewer: Viewer, detail: CompanyDayDetail) -> None:
    """Who was paid at the end of the day, and whether they know."""
    payouts = detail.payouts
    if not payouts:
        if detail.certificate is not None and detail.certificate.paid_at is not None:
            st.write(_("Nobody had a positive balance at its end, so nobody was paid."))
        return
    st.write(
        _n(
            "**{sum}** paid to {count} employee.", "**{sum}** paid to {count} employees.",
            len(payouts),
        ).format(sum=money(detail.day.payouts_cents), count=number(len(payouts)))
    )  # fmt: skip
    deliveries: dict[UUID, Delivery] | None = None
    try:
        deliveries = read_from_tracker(
            read_deliveries_of_day, viewer, business_date=detail.day.business_date
        )
    except TrackerDatabaseSilentError:
        st.warning(_("The tracker's database does not answer, so the e-mails' state is not known."))
    table = {
        _("Employee"): [one.name or _("unknown") for one in payouts],
        _("Paid"): amounts([one.amount_cents for one in payouts]),
        _("E-mail"): [mail_state(deliveries, one.entry_id) for one in payouts],
    }
    show_table(table, alt=_("Payouts of the day, the highest first"))
    show_downloads("payouts", day=detail.day.business_date)


def show_entries(detail: CompanyDayDetail, text: str) -> None:
    """Fees and rewards of the day, newest first; choosing one tells its task's story."""
    if not detail.entries:
        st.write(_("No entry of that day matches.") if text else _("That day has no entries."))
        return
    st.write(
        _n(
            "{count} entry, {sum} for the company.", "{count} entries, {sum} for the company.",
            detail.count_entries,
        ).format(count=number(detail.count_entries), sum=money(detail.entries_cents))
    )  # fmt: skip
    tasks = [one.task_id for one in detail.entries]

    def pick(row: int) -> None:
        st.query_params["task"] = str(tasks[row])

    show_table(
        made_once(entries_table, detail.entries),
        alt=_("Fees and rewards of the day, newest first"),
        key="entries",
        on_pick=pick,
    )
    st.caption(_("Choose a row to see all of its task."))
    show_downloads("company-entries", day=detail.day.business_date, text=text)


def entries_table(entries: list[CompanyEntry]) -> pa.Table:
    """Entries as a table shows them."""
    zone = read_environment(DashboardSettings).zone
    return pa.table(
        {
            _("Time"): [moment(one.occurred_at, zone) for one in entries],
            _("Kind"): [kind_name(one.kind) for one in entries],
            _("Employee"): [one.employee or _("unknown") for one in entries],
            _("Jira id"): [one.jira_id or "" for one in entries],
            _("Task"): [one.title or "" for one in entries],
            _("For the company"): amounts([one.amount_cents for one in entries]),
        }
    )


def show_task(viewer: Viewer) -> None:
    """The story of the task in the page's address, if there is one."""
    given = st.query_params.get("task")
    if not given:
        return
    task: TaskStory | None = None
    try:
        task = read_figures(read_task, viewer, task_id=UUID(given))
    except ValueError:
        task = None  # somebody changed the address by hand
    if task is None:
        st.info(_("There is no such task."))
        return
    jira = f"{task.jira_id}: " if task.jira_id else ""
    st.markdown(f"#### {plain(jira + task.title)}")
    zone = read_environment(DashboardSettings).zone
    st.write(
        _(
            "Created on {moment} by {name}; fee {fee} at each assignment, reward {reward} "
            "on completion. All of it together: {sum} for the company."
        ).format(
            moment=moment(task.created_at, zone),
            name=plain(task.created_by or _("unknown")),
            fee=money(task.fee_cents),
            reward=money(task.reward_cents),
            sum=money(task.total_cents),
        )
    )
    show_table(entries_table(task.entries), alt=_("Everything charged and credited for the task"))
    show_close("close-task", "task")
