"""Company: what was earned, who is below zero, who was paid. For accountants and admins."""

import datetime as dt

import pyarrow as pa
import streamlit as st

from dashboards.access import Viewer
from dashboards.charts import earnings_by_day, in_words
from dashboards.figures import read_figures, today_on_the_clock
from dashboards.frame import live_page, show_freshness
from dashboards.wording import MINUS, amount, day, money
from warehouse.company import Company, read_company
from warehouse.reading import MANAGEMENT

SPANS = {"7 days": 7, "30 days": 30, "90 days": 90, "1 year": 365}
FORMULA = (
    "Earnings of a day are the fees charged for assignments minus the rewards credited for "
    "completed tasks in that business day. Payouts never count. They may be negative."
)
AMOUNT_TYPE = pa.decimal128(18, 2)


def show_company(viewer: Viewer) -> None:
    """The whole page."""
    span = st.segmented_control(
        "Span", list(SPANS), default="30 days", required=True, key="span", bind="query-params"
    )
    wanted: dt.date | None = st.session_state.get("payouts_date")
    company = read_figures(
        read_company, viewer,
        local_date=today_on_the_clock(), count_days=SPANS[span], payouts_date=wanted,
    )  # fmt: skip
    if not show_freshness(company.state):
        return
    show_today(company)
    show_days(company, span)
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_balances(company)
    with right:
        show_payouts(company)


def show_today(company: Company) -> None:
    """The headline: four figures of now."""
    today, yesterday = company.today, company.days[-2]
    earned, fees, rewards, below = st.columns(4)
    change_cents = today.earnings_cents - yesterday.earnings_cents
    earned.metric(
        "Earned today",
        money(today.earnings_cents),
        delta=compared(change_cents),
        delta_color="off",
        delta_arrow="up" if change_cents > 0 else "down" if change_cents < 0 else "off",
        help=FORMULA,
    )
    fees.metric("Fees charged today", money(today.fees_cents))
    rewards.metric("Rewards credited today", money(today.rewards_cents))
    below.metric(
        "Employees below zero now",
        f"{company.count_below_zero:,}",
        delta=f"{money(company.below_zero_cents)} in all",
        delta_color="off",
        delta_arrow="off",
    )
    st.write(
        f"{day(today.business_date)}: {money(today.fees_cents)} in fees "
        f"{MINUS} {money(today.rewards_cents)} in rewards "
        f"= **{money(today.earnings_cents)}** earned."
    )


def compared(change_cents: int) -> str:
    """Today against yesterday, in words."""
    if change_cents == 0:
        return "the same as yesterday"
    return f"{money(abs(change_cents))} {'more' if change_cents > 0 else 'less'} than yesterday"


def show_days(company: Company, span: str) -> None:
    """A bar per day, and what the span adds up to."""
    total = company.span
    st.subheader(f"Earnings by day, last {span}")
    st.altair_chart(earnings_by_day(company.days), alt=in_words(company.days))
    negative = total.count_negative_days
    st.write(
        f"In all: {money(total.fees_cents)} in fees "
        f"{MINUS} {money(total.rewards_cents)} in rewards "
        f"= **{money(total.earnings_cents)}** earned; "
        f"{negative} {'day' if negative == 1 else 'days'} below zero (marked ▼)."
    )


def show_balances(company: Company) -> None:
    """Every employee's account, debtors first."""
    st.subheader("Balances now")
    balances = company.balances
    if not balances:
        st.write("No employees yet.")
        return
    table = {
        "Employee": [one.name for one in balances],
        "Role": [one.role for one in balances],
        "Balance": pa.array([amount(one.balance_cents) for one in balances], AMOUNT_TYPE),
        "State": [
            ("below zero" if one.balance_cents < 0 else "") + ("" if one.is_active else " (left)")
            for one in balances
        ],
    }
    show_table(table, "Balance")


def show_payouts(company: Company) -> None:
    """Who was paid at the end of a day."""
    st.subheader("Payouts")
    if company.payouts_date is None:
        st.write("No business day has been paid yet: payouts follow when a day is closed.")
        return
    st.date_input(
        "Business day",
        value=company.state.paid_through,
        min_value=company.state.first_date,
        max_value=company.today.business_date,
        key="payouts_date",
    )
    if not company.payouts:
        st.write(f"Nobody was paid for {day(company.payouts_date)}.")
        return
    st.write(
        f"**{money(company.payouts_cents)}** to {len(company.payouts):,} "
        f"{'employee' if len(company.payouts) == 1 else 'employees'} "
        f"for {day(company.payouts_date)}."
    )
    table = {
        "Employee": [one.name or "unknown" for one in company.payouts],
        "Paid": pa.array([amount(one.amount_cents) for one in company.payouts], AMOUNT_TYPE),
    }
    show_table(table, "Paid")


def show_table(columns: dict[str, object], amounts: str) -> None:
    """A table whose amounts are aligned, sortable and have thousands separators."""
    st.dataframe(
        pa.table(columns),
        hide_index=True,
        column_config={amounts: st.column_config.NumberColumn(format="accounting")},
    )


live_page("Company", show_company, roles=MANAGEMENT)
