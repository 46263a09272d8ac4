"""Part of My account: the audit log with its filters, and why a sum is as it is.

The filters and the entry that is explained stand in the page's address.
"""

import datetime as dt
import json
from uuid import UUID

import pyarrow as pa
import streamlit as st

from contracts.environment import read_environment
from dashboards.access import Viewer
from dashboards.drawn import draw_once, made_once
from dashboards.figures import read_own_figures
from dashboards.frame import plain
from dashboards.languages import _, _n
from dashboards.settings import DashboardSettings
from dashboards.widgets import (
    amounts,
    choose_page,
    choose_some,
    show_close,
    show_downloads,
    show_table,
)
from dashboards.wording import day, kind_name, moment, money, number, signed
from warehouse.account import Account
from warehouse.account_entries import (
    KINDS,
    Entries,
    Entry,
    Explanation,
    Kind,
    read_entries,
    read_explanation,
)

ENTRIES_SHOWN = 50
SHOWN_KINDS: tuple[Kind, ...] = ("fee", "reward", "payout")


def show_log(viewer: Viewer, account: Account) -> None:
    """Every entry of the statement's days that matches the filters, and what they add up to."""
    st.subheader(_("Audit log"), anchor="log")
    first, last = account.days[0].business_date, account.days[-1].business_date
    kinds, text = choose_filters()
    filters = {
        "employee_id": viewer.employee_id, "first": first, "last": last,
        "kinds": kinds, "text": text,
    }  # fmt: skip
    entries = read_own_figures(read_entries, viewer, **filters, count_max=ENTRIES_SHOWN)
    draw_once(show_totals, entries)
    if entries.count_entries > ENTRIES_SHOWN:
        page = choose_page("page", entries.count_entries, ENTRIES_SHOWN)
        entries = read_own_figures(
            read_entries, viewer, **filters,
            count_max=ENTRIES_SHOWN, count_skipped=(page - 1) * ENTRIES_SHOWN,
        )  # fmt: skip
    if entries.page:
        show_entries(entries)
        show_downloads("entries", first=first, last=last, kinds=",".join(kinds), text=text)
    show_explanation(viewer)


def choose_filters() -> tuple[tuple[Kind, ...], str]:
    """Kinds (none chosen: all of them) and a text."""
    left, right = st.columns(2)
    with left:
        chosen = choose_some(
            _("Kinds"), {kind: kind_name(kind) for kind in SHOWN_KINDS},
            key="kinds", help=_("None chosen: all kinds."),
        )  # fmt: skip
    text = right.text_input(_("Title or Jira id holds"), key="text", bind="query-params").strip()
    kinds = tuple(kind for kind in SHOWN_KINDS if kind in chosen) or KINDS
    return kinds, text


def show_totals(entries: Entries) -> None:
    """What the filter leaves over."""
    if not entries.count_entries:
        st.write(_("No entry matches in these days."))
        return
    st.write(
        _n(
            "{count} entry: fees {fees}, rewards {rewards}, paid out {paid}, in all **{sum}**.",
            "{count} entries: fees {fees}, rewards {rewards}, paid out {paid}, in all **{sum}**.",
            entries.count_entries,
        ).format(
            count=number(entries.count_entries),
            fees=money(entries.fees_cents),
            rewards=signed(entries.rewards_cents),
            paid=money(entries.payouts_cents),
            sum=signed(entries.total_cents),
        )
    )


def show_entries(entries: Entries) -> None:
    """A page of them; choosing one explains it."""
    page = entries.page

    def pick(row: int) -> None:
        st.query_params["entry"] = str(page[row].entry_id)
        st.query_params["on"] = page[row].business_date.isoformat()

    show_table(
        made_once(entries_table, page),
        alt=_("Entries of your account, the newest first"),
        key="log",
        on_pick=pick,
    )
    st.caption(_("Choose a row to see why the sum is what it is."))


def entries_table(page: list[Entry]) -> pa.Table:
    """A page of entries as a table shows it."""
    zone = read_environment(DashboardSettings).zone
    return pa.table(
        {
            _("Time"): [moment(one.occurred_at, zone) for one in page],
            _("Business day"): [day(one.business_date) for one in page],
            _("Kind"): [kind_name(one.kind) for one in page],
            _("Jira id"): [one.jira_id or "" for one in page],
            _("Task"): [one.title or "" for one in page],
            _("Amount"): amounts([one.amount_cents for one in page]),
            _("Balance after"): amounts([one.balance_cents for one in page]),
        }
    )


def show_explanation(viewer: Viewer) -> None:
    """Why the entry in the page's address is so, if there is one."""
    given, on = st.query_params.get("entry"), st.query_params.get("on")
    if not given:
        return
    st.markdown("#### " + _("Why this sum"))
    explanation: Explanation | None = None
    try:
        explanation = read_own_figures(
            read_explanation, viewer, employee_id=viewer.employee_id,
            entry_id=UUID(given), business_date=dt.date.fromisoformat(on or ""),
        )  # fmt: skip
    except ValueError:
        explanation = None  # somebody changed the address by hand
    if explanation is None:
        st.info(_("There is no such entry on your account."))
    else:
        st.write(why(explanation))
        show_cause(explanation)
    show_close("close-entry", "entry", "on")


def why(explanation: Explanation) -> str:
    """The reason in words, with the figures in it."""
    entry, whole_day = explanation.entry, explanation.day
    if entry.kind == "payout":
        return _(
            "{day} began with {opening}; fees {fees} and rewards {rewards} made it **{paid}**. "
            "A balance above zero is paid out whole when its day is closed."
        ).format(
            day=day(entry.business_date),
            opening=money(whole_day.opening_cents),
            fees=money(whole_day.fees_cents),
            rewards=signed(whole_day.rewards_cents),
            paid=money(-entry.amount_cents),
        )
    task = f"{entry.jira_id}: {entry.title}" if entry.jira_id else entry.title or ""
    text = (
        _(
            "The task “{task}” was assigned to you, and its fee of **{sum}** was charged. The fee "
            "is drawn once when a task is created and charged at each assignment."
        )
        if entry.kind == "fee"
        else _(
            "You completed the task “{task}”, and its reward of **{sum}** was credited. The reward "
            "is drawn once when a task is created."
        )
    )
    return text.format(task=plain(task), sum=money(abs(entry.amount_cents)))


def show_cause(explanation: Explanation) -> None:
    """The event itself, as it was published."""
    cause = explanation.cause
    if cause is None:
        return
    zone = read_environment(DashboardSettings).zone
    st.write(
        _(
            "Event {position}: `{type}` of {moment}, the change number {sequence} of its subject."
        ).format(
            position=number(cause.position),
            type=cause.type,
            moment=moment(cause.occurred_at, zone),
            sequence=cause.sequence,
        )
    )
    st.json(
        {
            "id": str(cause.event_id),
            "correlationid": str(cause.correlation_id),
            "data": json.loads(cause.data),
        }
    )
