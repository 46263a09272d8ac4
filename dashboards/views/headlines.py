"""The heads of pages: what each comes to at this moment. Home shows them side by side."""

import streamlit as st

from dashboards.access import Viewer
from dashboards.figures import read_figures, read_own_figures, today_on_the_clock
from dashboards.languages import _
from dashboards.widgets import show_figure
from dashboards.wording import MINUS, day, money, number, signed
from warehouse.account import DAYS_PICTURED, Account, read_account
from warehouse.company import Company, CompanyDay, Span, read_company


def own_now(viewer: Viewer) -> Account:
    """One's own account as it stands."""
    return read_own_figures(
        read_account, viewer,
        employee_id=viewer.employee_id, local_date=today_on_the_clock(), count_days=DAYS_PICTURED,
    )  # fmt: skip


def company_now(viewer: Viewer) -> Company:
    """The company's day as it stands. Raises ReadRefusedError."""
    return read_figures(read_company, viewer, local_date=today_on_the_clock(), count_days=1)


def show_own_head(account: Account) -> None:
    """The balance, what it means, and what today has come to."""
    today = account.today
    balance, earned, entries = st.columns(3)
    show_figure(
        balance,
        _("Balance now"),
        money(account.balance_cents),
        _("below zero") if account.balance_cents < 0 else None,
    )
    show_figure(
        earned,
        _("Earned today"),
        signed(today.earned_cents),
        help=_("Rewards credited today minus fees charged today; it may be negative."),
    )
    show_figure(entries, _("Entries today"), number(today.count_entries))
    st.write(what_it_means(account.balance_cents))
    st.write(
        _("Today, {day}: {rewards} in rewards, {fees} in fees.").format(
            day=day(today.business_date),
            rewards=signed(today.rewards_cents),
            fees=signed(today.fees_cents),
        )
    )


def what_it_means(balance_cents: int) -> str:
    """A balance in words."""
    if balance_cents < 0:
        return _(
            "Your account is **{sum} below zero**. Nothing is paid out until rewards have made up "
            "for it; the debt is carried over to the next day."
        ).format(sum=money(-balance_cents))
    if balance_cents > 0:
        return _(
            "If the day ended now, **{sum}** would be paid out to you and your balance would be "
            "zero."
        ).format(sum=money(balance_cents))
    return _("Your account is even: nothing is owed and nothing is waiting to be paid out.")


def show_company_head(company: Company) -> None:
    """Four figures of now, and the first one in words."""
    today = company.today
    earned, fees, rewards, below = st.columns(4)
    change_cents = today.earnings_cents - company.yesterday.earnings_cents
    show_figure(
        earned,
        _("Earned today"),
        money(today.earnings_cents),
        compared(change_cents),
        arrow="up" if change_cents > 0 else "down" if change_cents < 0 else "off",
        help=_(
            "Earnings of a day are the fees charged for assignments minus the rewards credited "
            "for completed tasks in that business day. Payouts never count. They may be negative."
        ),
    )
    show_figure(fees, _("Fees charged today"), money(today.fees_cents))
    show_figure(rewards, _("Rewards credited today"), money(today.rewards_cents))
    show_figure(
        below,
        _("Employees below zero now"),
        number(company.count_below_zero),
        _("{sum} in all").format(sum=money(company.below_zero_cents)),
    )
    st.write(
        _("Today, {day}: {formula}").format(day=day(today.business_date), formula=formula(today))
    )


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
