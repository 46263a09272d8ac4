"""Company: what was earned, day by day and down to the entry, who was paid, who is below zero."""

import streamlit as st

from dashboards.access import Viewer
from dashboards.charts import DayBar, bars_by_day, in_words
from dashboards.drawn import draw_once
from dashboards.figures import read_figures, read_state, today_on_the_clock
from dashboards.frame import live_page, role_name, show_freshness
from dashboards.languages import _, _n
from dashboards.views.company_day import show_day
from dashboards.views.headlines import formula, show_company_head
from dashboards.widgets import amounts, choose_days, show_downloads, show_table
from dashboards.wording import money, number, signed
from warehouse.company import Company, EmployeeBalance, read_company
from warehouse.reading import MANAGEMENT


def show_company(viewer: Viewer) -> None:
    """The whole page; the span is chosen in its middle, and one read serves what stands above."""
    state = read_state()
    if not show_freshness(state):
        return
    head, local_date = st.container(), today_on_the_clock()
    st.subheader(_("Earnings by day"), anchor="days")
    span = choose_days("span", state.first_date, state.today(local_date))
    company = read_figures(
        read_company, viewer, local_date=local_date, count_days=span.count, last=span.last
    )
    with head:
        draw_once(show_company_head, company)
    draw_once(show_days, company)
    show_day(viewer, company)
    show_balances(company)


def show_days(company: Company) -> None:
    """A bar per day, what the span adds up to, and how that compares with the span before."""
    bars = [
        DayBar(
            one.business_date,
            one.earnings_cents,
            (
                (_("Fees"), money(one.fees_cents)),
                (_("Rewards"), money(one.rewards_cents)),
                (_("Paid out"), money(one.payouts_cents)),
                (_("State"), _("closed") if one.is_closed else _("open")),
            ),
        )
        for one in company.days
    ]
    st.vega_lite_chart(bars_by_day(bars, _("Earnings")), alt=in_words(bars))
    total, before = company.span, company.before
    negative = _n(
        "{count} day below zero (marked ▼).",
        "{count} days below zero (marked ▼).",
        total.count_negative_days,
    ).format(count=number(total.count_negative_days))
    change_cents = total.earnings_cents - before.earnings_cents
    st.write(_("In all:") + f" {formula(total)} {negative}")
    st.write(
        _(
            "As many days before: **{before}** earned; the change is {change}. "
            "Paid out in these days: {paid}; before: {paid_before}."
        ).format(
            before=money(before.earnings_cents),
            change=signed(change_cents),
            paid=money(total.payouts_cents),
            paid_before=money(before.payouts_cents),
        )
    )
    first, last = company.days[0].business_date, company.days[-1].business_date
    show_downloads("company-days", first=first, last=last)


def show_balances(company: Company) -> None:
    """Every employee's account, debtors first."""
    st.subheader(_("Balances now"), anchor="balances")
    balances = company.balances
    if not balances:
        st.write(_("No employees yet."))
        return
    text = st.text_input(_("Find an employee"), key="employee", bind="query-params").strip()
    draw_once(show_found, balances, text=text)
    show_downloads("balances")


def show_found(balances: list[EmployeeBalance], text: str) -> None:
    """Those whose name holds a text."""
    shown = [one for one in balances if text.casefold() in one.name.casefold()]
    st.write(
        _n("{count} employee", "{count} employees", len(shown)).format(count=number(len(shown)))
    )
    table = {
        _("Employee"): [one.name for one in shown],
        _("Role"): [role_name(one.role) for one in shown],
        _("Balance"): amounts([one.balance_cents for one in shown]),
        _("State"): [state_of(one.balance_cents, is_active=one.is_active) for one in shown],
    }
    show_table(table, alt=_("Employees and their balances, the deepest debt first"))


def state_of(balance_cents: int, *, is_active: bool) -> str:
    """What a balance means, not by colour alone."""
    parts = [_("below zero")] if balance_cents < 0 else []
    if not is_active:
        parts.append(_("has left"))
    return ", ".join(parts)


live_page(_("Company"), show_company, roles=MANAGEMENT)
