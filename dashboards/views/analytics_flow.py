"""How work flows: created, completed and reassigned per day, time to completion, open tasks."""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

import altair as alt
import streamlit as st

from dashboards.access import Viewer
from dashboards.charts import SPECS_MAX, VALUES, Spec, days_across, empty, filled
from dashboards.drawn import draw_once
from dashboards.figures import read_figures
from dashboards.languages import _, _n, language
from dashboards.widgets import (
    DEFAULT_SPAN,
    SPANS,
    choose_one,
    shares,
    show_figure,
    show_table,
    span_names,
)
from dashboards.wording import age, day, number
from warehouse.analytics import Flow, TaskDay, read_flow

CHART_HEIGHT_PIXELS = 260
# Readable on light and on dark; the dash tells the lines apart without colour.
COLOURS = ("#3b82c4", "#2a9d6f", "#e0603c")
DASHES = ([1, 0], [6, 3], [2, 3])


def show_flow(viewer: Viewer, today: dt.date) -> None:
    """Everything about how tasks go, in a span that ends today."""
    st.subheader(_("Flow of work"), anchor="flow")
    span = choose_one(_("Span"), span_names(), key="flow", default=DEFAULT_SPAN)
    minute = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)  # one reading serves all
    flow = read_figures(read_flow, viewer, today=today, count_days=SPANS[span], now=minute)
    draw_once(show_throughput, flow)
    left, right = st.columns(2, gap="large")
    with left:
        draw_once(show_durations, flow)
    with right:
        draw_once(show_open, flow)


def show_throughput(flow: Flow) -> None:
    """Three figures with the span before beside them, and three lines."""
    columns = st.columns(3)
    figures = (
        (_("Created"), flow.span.count_created, flow.before.count_created),
        (_("Completed"), flow.span.count_completed, flow.before.count_completed),
        (_("Reassigned"), flow.span.count_reassigned, flow.before.count_reassigned),
    )
    for column, (name, count, before) in zip(columns, figures, strict=True):
        beside = _("{count} in the span before").format(count=number(before))
        show_figure(column, name, number(count), beside)
    names = [name for name, _count, _before in figures]
    st.vega_lite_chart(_lines(flow.days, names), alt=_in_words(flow.days))


def show_durations(flow: Flow) -> None:
    """How long completed tasks took, and how often they changed hands."""
    _heading(_("Time to completion"))
    done = flow.completed
    if done.mean_seconds is None:
        st.write(_("No task was completed in this span."))
        return
    st.write(_("{age} on average.").format(age=age(done.mean_seconds)))
    show_table(
        {
            _("Took"): [duration(one.within_hours) for one in flow.by_time],
            _("Tasks"): [one.count_tasks for one in flow.by_time],
            _("Share"): shares([one.count_tasks for one in flow.by_time], done.count_tasks),
        },
        alt=_("Completed tasks by the time they took"),
    )
    _heading(_("How often tasks changed hands"))
    changes = done.count_assignments - done.count_tasks
    st.write(
        _n(
            "{count} reassignment of the tasks completed in this span.",
            "{count} reassignments of the tasks completed in this span.",
            changes,
        ).format(count=number(changes))
    )
    show_table(
        {
            _("Changed hands"): [hands(one.assignments) for one in flow.by_assignments],
            _("Tasks"): [one.count_tasks for one in flow.by_assignments],
            _("Share"): shares([one.count_tasks for one in flow.by_assignments], done.count_tasks),
        },
        alt=_("Completed tasks by how often they changed hands"),
    )


def show_open(flow: Flow) -> None:
    """Open tasks by age."""
    _heading(_("Open tasks by age"))
    if flow.oldest_at is None:
        st.write(_("No task is open."))
        return
    oldest = (dt.datetime.now(dt.UTC) - flow.oldest_at).total_seconds()
    text = _n("{count} task is open.", "{count} tasks are open.", flow.count_open)
    st.write(
        text.format(count=number(flow.count_open))
        + " "
        + _("The oldest has waited for {age}.").format(age=age(oldest))
    )
    show_table(
        {
            _("Age"): [duration(one.within_hours) for one in flow.open],
            _("Tasks"): [one.count_tasks for one in flow.open],
        },
        alt=_("Open tasks by age"),
    )


def _heading(text: str) -> None:
    """The head of one of several tables side by side."""
    st.markdown(f"**{text}**")


def duration(within_hours: int | None) -> str:
    """A class of duration in words."""
    names = {
        1: _("up to 1 hour"),
        4: _("up to 4 hours"),
        24: _("up to 1 day"),
        72: _("up to 3 days"),
        168: _("up to 1 week"),
        672: _("up to 4 weeks"),
    }
    return _("longer") if within_hours is None else names[within_hours]


def hands(assignments: int | None) -> str:
    """How often a task changed hands: once less than it was assigned."""
    assert assignments is not None, "this group is by assignments"
    return {1: _("never"), 5: _("4 times or more")}.get(assignments, number(assignments - 1))


def _lines(days: Sequence[TaskDay], names: Sequence[str]) -> Spec:
    values = [
        {"date": one.business_date.isoformat(), "what": name, "count": count}
        for one in days
        if one.business_date is not None
        for name, count in zip(
            names, (one.count_created, one.count_completed, one.count_reassigned), strict=True
        )
    ]
    return filled(_empty_lines(tuple(names), language()), values)


@lru_cache(SPECS_MAX)
def _empty_lines(names: tuple[str, ...], _language: str) -> Spec:
    legend = alt.Legend(title=None, orient="top")
    chart = alt.Chart(VALUES).mark_line()
    return empty(
        chart.encode(
            x=days_across(),
            y=alt.Y("count:Q", axis=alt.Axis(title=None, format=",.0f")),
            color=alt.Color("what:N", sort=names, legend=legend, scale=alt.Scale(range=COLOURS)),
            strokeDash=alt.StrokeDash(
                "what:N", sort=names, legend=legend, scale=alt.Scale(range=DASHES)
            ),
            tooltip=[
                alt.Tooltip("what:N", title=_("Tasks")),
                alt.Tooltip("count:Q", title=_("Count"), format=",.0f"),
            ],
        ).properties(height=CHART_HEIGHT_PIXELS)
    )


def _in_words(days: Sequence[TaskDay]) -> str:
    busiest = max(days, key=lambda one: one.count_created)
    assert busiest.business_date is not None, "these are days"
    return _("Tasks created, completed and reassigned per day. Most were created on {day}.").format(
        day=day(busiest.business_date)
    )
