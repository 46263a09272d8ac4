"""Analytics, for admins: who is below zero, the dearest tasks, and how work flows."""

import datetime as dt
from typing import cast

import streamlit as st

from contracts.environment import read_environment
from dashboards.access import Viewer
from dashboards.drawn import draw_once
from dashboards.figures import read_figures, today_on_the_clock
from dashboards.frame import live_page, plain, role_name, show_freshness
from dashboards.languages import _
from dashboards.settings import DashboardSettings
from dashboards.views.analytics_flow import show_flow
from dashboards.widgets import amounts, choose_one, show_figure, show_table
from dashboards.wording import day, moment, money, month, number
from warehouse.analytics import Dearest, Period, Standing, Today, read_dearest, read_today
from warehouse.reading import ADMINS, Role

LINES_MAX = 32  # a month's days and the month: the last line is the point, so it is in sight


def show_analytics(viewer: Viewer) -> None:
    """The whole page."""
    now = read_figures(read_today, viewer, local_date=today_on_the_clock())
    if not show_freshness(now.state):
        return
    draw_once(show_today, now)
    draw_once(show_people, now.standing)
    show_dearest(viewer, now)
    show_flow(viewer, now.today)


def show_today(now: Today) -> None:
    """The headline: what was earned today, and who is below zero in both meanings."""
    standing = now.standing
    earned, below, net = st.columns(3)
    show_figure(
        earned,
        _("Earned today"),
        money(standing.earnings_cents),
        _("{sum} yesterday").format(sum=money(standing.yesterday_cents)),
        help=_("Fees charged minus rewards credited in this business day; payouts never count."),
    )
    show_figure(
        below,
        _("Employees below zero now"),
        number(standing.count_below_zero),
        _("{sum} in all").format(sum=money(standing.below_zero_cents)),
        help=_("Their balance is below zero: every fee, reward and payout of all days."),
    )
    show_figure(
        net,
        _("Net below zero today"),
        number(standing.count_net_below_zero),
        _("{sum} in all").format(sum=money(standing.net_below_zero_cents)),
        help=_("Their fees of today are higher than their rewards of today, whatever they have."),
    )


def show_people(standing: Standing) -> None:
    """Everybody below zero in either meaning, the deepest debt first."""
    st.subheader(_("Below zero"), anchor="below-zero")
    people = standing.people
    if not people:
        st.write(_("Nobody is below zero, now or today."))
        return
    table = {
        _("Employee"): [one.name or _("unknown") for one in people],
        _("Role"): [role_name(cast("Role", one.role)) if one.role else "" for one in people],
        _("Balance now"): amounts([one.balance_cents for one in people]),
        _("Net today"): amounts([one.net_cents for one in people]),
        _("Below zero"): [
            below_zero(one.balance_cents, one.net_cents, is_active=one.is_active) for one in people
        ],
    }
    show_table(table, alt=_("Employees below zero, the deepest debt first"))


def below_zero(balance_cents: int, net_cents: int, *, is_active: bool) -> str:
    """Which figure is below zero, not by colour alone."""
    parts = [_("now")] if balance_cents < 0 else []
    parts += [_("today")] if net_cents < 0 else []
    parts += [] if is_active else [_("has left")]
    return ", ".join(parts)


def show_dearest(viewer: Viewer, now: Today) -> None:
    """The dearest task of each day of a period, and then of the period."""
    st.subheader(_("Most expensive completed task"), anchor="dearest")
    left, right = st.columns(2)
    with left:
        periods = {"day": _("Day"), "week": _("ISO week"), "month": _("Month")}
        period = choose_one(_("Period"), periods, key="period", default="week")
    with right:
        date = st.date_input(
            _("Around"), value=now.today, min_value=now.state.first_date or now.today,
            max_value=now.today, key="around", bind="query-params", format="YYYY-MM-DD",
        )  # fmt: skip
    dearest = read_figures(
        read_dearest, viewer, today=now.today, period=cast("Period", period),
        date=date if isinstance(date, dt.date) else now.today,
    )  # fmt: skip
    draw_once(show_dearest_days, dearest, name=name_of(dearest, period))


def show_dearest_days(dearest: Dearest, name: str) -> None:
    """A line per day, then the line for the span."""
    best = dearest.of_span
    if best is None:
        st.write(_("{span}: no task was completed.").format(span=name))
        return
    zone = read_environment(DashboardSettings).zone
    lines = [*dearest.days, best]
    table = {
        _("Span"): [*(day(one.business_date) for one in dearest.days), name],
        _("Reward"): amounts([one.reward_cents for one in lines]),
        _("Task"): [one.title for one in lines],
        _("Completed at"): [moment(one.completed_at, zone) for one in lines],
    }
    alt = _("The dearest task of each day, and of the span in the last line")
    show_table(table, alt=alt, rows_shown=LINES_MAX)
    st.write(
        _("{span}: **{reward}** for “{title}”, completed on {day}.").format(
            span=name,
            reward=money(best.reward_cents),
            title=plain(best.title),
            day=day(best.business_date),
        )
    )


def name_of(dearest: Dearest, period: str) -> str:
    """A period as people call it."""
    if period == "week":
        year, week, _weekday = dearest.first.isocalendar()
        return _("Week {week} of {year}").format(week=week, year=year)
    if period == "month":
        return month(dearest.first)
    return day(dearest.first)


live_page(_("Analytics"), show_analytics, roles=ADMINS)
