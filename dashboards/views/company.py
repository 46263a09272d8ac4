"""Company: what was earned, day by day and down to the entry, who was paid, who is below zero."""

import streamlit as st

from dashboards.access import Viewer
from dashboards.charts import DayBar, bars_by_day, in_words
from dashboards.figures import read_figures, today_on_the_clock
from dashboards.frame import live_page, role_name, show_freshness
from dashboards.languages import _, _n
from dashboards.views.company_day import show_day
from dashboards.widgets import amounts, choose_days, show_downloads, show_table
from dashboards.wording import MINUS, day, money, number, signed
from warehouse.company import Company, CompanyDay, Span, read_company
from warehouse.reading import MANAGEMENT


def show_company(viewer: Viewer) -> None:
    """The whole page; the span is chosen in its middle, so what was chosen last is read first."""
    now = read_figures(read_company, viewer, local_date=today_on_the_clock(), count_days=1)
    if not show_freshness(now.state):
        return
    show_today(now)
    st.subheader(_("Earnings by day"), anchor="days")
    span = choose_days("span", now.state.first_date, now.today.business_date)
    company = read_figures(
        read_company, viewer,
        local_date=today_on_the_clock(), count_days=span.count, last=span.last,
    )  # fmt: skip
    show_days(company)
    show_day(viewer, company)
    show_balances(company)


def show_today(company: Company) -> None:
    """The headline: four figures of now, and the first one in words."""
    today = company.today
    earned, fees, rewards, below = st.columns(4)
    change_cents = today.earnings_cents - company.yesterday.earnings_cents
    earned.metric(
        _("Earned today"),
        money(today.earnings_cents),
        delta=compared(change_cents),
        delta_color="off",
        delta_arrow="up" if change_cents > 0 else "down" if change_cents < 0 else "off",
        help=_(
            "Earnings of a day are the fees charged for assignments minus the rewards credited "
            "for completed tasks in that business day. Payouts never count. They may be negative."
        ),
    )
    fees.metric(_("Fees charged today"), money(today.fees_cents))
    rewards.metric(_("Rewards credited today"), money(today.rewards_cents))
    below.metric(
        _("Employees below zero now"),
        number(company.count_below_zero),
        delta=_("{sum} in all").format(sum=money(company.below_zero_cents)),
        delta_color="off",
        delta_arrow="off",
    )
    st.write(f"{day(today.business_date)}: {formula(today)}")


def formula(sums: CompanyDay | Span) -> str:
    """How earnings come about, with the figures in it."""
    return _("{fees} in fees {minus} {rewards} in rewards = **{earnings}** earned.").format(
        fees=money(sums.fees_cents),
        minus=MINUS,
        rewards=money(sums.rewards_cents),
        earnings=money(sums.earnings_cents),
    )


def compared(change_cents: int) -> str:
    """Today against yesterday, in words."""
    if change_cents == 0:
        return _("the same as yesterday")
    text = _("{sum} more than yesterday") if change_cents > 0 else _("{sum} less than yesterday")
    return text.format(sum=money(abs(change_cents)))


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
    st.altair_chart(bars_by_day(bars, _("Earnings")), alt=in_words(bars))
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
    show_downloads("balances")


def state_of(balance_cents: int, *, is_active: bool) -> str:
    """What a balance means, not by colour alone."""
    parts = [_("below zero")] if balance_cents < 0 else []
    if not is_active:
        parts.append(_("has left"))
    return ", ".join(parts)


live_page(_("Company"), show_company, roles=MANAGEMENT)
