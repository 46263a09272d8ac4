"""My account: what I have, how it came about, what I was paid. Everybody sees their own alone."""

from uuid import UUID

import streamlit as st

from dashboards.access import Viewer
from dashboards.charts import DayBar, bars_by_day, in_words
from dashboards.drawn import draw_once
from dashboards.figures import (
    read_from_tracker,
    read_own_figures,
    read_state,
    today_on_the_clock,
)
from dashboards.frame import live_page, show_freshness
from dashboards.languages import _, _n
from dashboards.mails import mail_state
from dashboards.views.account_log import show_log
from dashboards.views.headlines import show_own_head
from dashboards.widgets import amounts, choose_days, show_downloads, show_table
from dashboards.wording import day, money, number, signed
from warehouse.account import Account, AccountDay, read_account
from warehouse.deliveries import Delivery, TrackerDatabaseSilentError, read_own_deliveries


def show_account(viewer: Viewer) -> None:
    """The whole page; the span is chosen in its middle, and one read serves what stands above."""
    state = read_state()
    if not show_freshness(state):
        return
    head, local_date = st.container(), today_on_the_clock()
    st.subheader(_("Statement"), anchor="statement")
    span = choose_days("span", state.first_date, state.today(local_date))
    account = read_own_figures(
        read_account, viewer,
        employee_id=viewer.employee_id, local_date=local_date,
        count_days=span.count, last=span.last,
    )  # fmt: skip
    with head:
        draw_once(show_own_head, account)
        draw_once(show_picture, account.newest_days)
    draw_once(show_statement, account)
    show_payouts(viewer, account)
    show_log(viewer, account)


def show_picture(days: list[AccountDay]) -> None:
    """What each of the last two weeks' days came to."""
    count = len(days)
    st.subheader(
        _n("Earned in the last day", "Earned in the last {count} days", count).format(count=count)
    )
    bars = [
        DayBar(
            one.business_date,
            one.earned_cents,
            (
                (_("Fees"), money(one.fees_cents)),
                (_("Rewards"), money(one.rewards_cents)),
                (_("Paid out"), money(-one.payouts_cents)),
                (_("Balance after"), money(one.closing_cents)),
            ),
        )
        for one in days
    ]
    if any(one.count_entries for one in days):
        st.vega_lite_chart(bars_by_day(bars, _("Earned"), height=200), alt=in_words(bars))
    else:
        st.write(_("Nothing moved on your account in these days."))


def show_statement(account: Account) -> None:
    """A line for each day on which anything moved, and what they add up to."""
    days = account.days
    first, last = days[0], days[-1]
    moving = [one for one in reversed(days) if one.count_entries > 0]
    st.write(
        _(
            "{first} to {last}: opening {opening}, fees {fees}, rewards {rewards}, "
            "paid out {paid}, closing **{closing}**."
        ).format(
            first=day(first.business_date),
            last=day(last.business_date),
            opening=money(first.opening_cents),
            fees=money(account.fees_cents),
            rewards=signed(account.rewards_cents),
            paid=money(account.payouts_cents),
            closing=money(last.closing_cents),
        )
    )
    if not moving:
        st.write(_("Nothing moved on your account in these days."))
        return
    show_table(
        {
            _("Day"): [day(one.business_date) for one in moving],
            _("Opening"): amounts([one.opening_cents for one in moving]),
            _("Fees"): amounts([one.fees_cents for one in moving]),
            _("Rewards"): amounts([one.rewards_cents for one in moving]),
            _("Paid out"): amounts([one.payouts_cents for one in moving]),
            _("Closing"): amounts([one.closing_cents for one in moving]),
            _("State"): [_("closed") if one.is_closed else _("open") for one in moving],
        },
        alt=_("Your account day by day, the newest first"),
    )
    show_downloads("statement", first=first.business_date, last=last.business_date)


def show_payouts(viewer: Viewer, account: Account) -> None:
    """What was paid in the days of the statement, and whether an e-mail went out."""
    st.subheader(_("Payouts"), anchor="payouts")
    payouts = account.payouts
    if not payouts:
        st.write(_("Nothing was paid out to you for these days."))
        return
    first, last = account.days[0].business_date, account.days[-1].business_date
    st.write(
        _n("{count} payout, **{sum}**.", "{count} payouts, **{sum}**.", len(payouts)).format(
            count=number(len(payouts)), sum=money(-account.payouts_cents)
        )
    )
    deliveries: dict[UUID, Delivery] | None = None
    try:
        deliveries = read_from_tracker(
            read_own_deliveries, viewer, employee_id=viewer.employee_id, first=first, last=last
        )
    except TrackerDatabaseSilentError:
        st.warning(_("The tracker's database does not answer, so the e-mails' state is not known."))

    def pick(row: int) -> None:
        st.query_params["entry"] = str(payouts[row].entry_id)
        st.query_params["on"] = payouts[row].business_date.isoformat()

    show_table(
        {
            _("Day"): [day(one.business_date) for one in payouts],
            _("Paid"): amounts([one.amount_cents for one in payouts]),
            _("E-mail"): [mail_state(deliveries, one.entry_id) for one in payouts],
        },
        alt=_("Your payouts, the newest first"),
        key="payouts",
        on_pick=pick,
    )
    show_downloads("own-payouts", first=first, last=last)


live_page(_("My account"), show_account)
