"""What admins ask of the whole business: who is below zero, which tasks were dear, how work flows.

Each read is one snapshot and goes by kept aggregates alone. Amounts are integer cents, durations
whole seconds. All of them are for admins.
"""

import datetime as dt
from typing import Literal
from uuid import UUID

import duckdb
import msgspec

from warehouse.reading import (
    ADMINS,
    LakeState,
    Reader,
    read_lake_state,
    require_role,
    rows,
    snapshot,
    text_of,
)

DAYS_MAX = 3_660  # ten years
BY_TIME, BY_ASSIGNMENTS, ALL_TOGETHER = 1, 2, 3  # `grouping_id` of queries/task_completions.sql
Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = ("day", "week", "month")


class Person(msgspec.Struct, frozen=True):
    """An employee who is below zero now, or has more fees than rewards today, or both.

    `name` and `role` are None for somebody the lake does not know yet.
    """

    employee_id: UUID
    name: str | None
    role: str | None
    is_active: bool
    balance_cents: int
    net_cents: int  # rewards - fees of today


class Standing(msgspec.Struct, frozen=True):
    """Today's earnings beside yesterday's, and who is below zero: deepest debt first."""

    fees_cents: int
    rewards_cents: int
    earnings_cents: int
    yesterday_cents: int
    count_below_zero: int
    below_zero_cents: int
    count_net_below_zero: int
    net_below_zero_cents: int
    people: tuple[Person, ...]


class DearestDay(msgspec.Struct, frozen=True):
    """The dearest task of a business day; `is_of_span` marks the dearest of all days asked for."""

    business_date: dt.date
    task_id: UUID
    title: str
    reward_cents: int
    completed_at: dt.datetime
    is_of_span: bool


class TaskDay(msgspec.Struct, frozen=True):
    """What happened to tasks on a day, or in a span (`business_date` is None then)."""

    business_date: dt.date | None
    count_created: int
    count_assigned: int
    count_reassigned: int
    count_completed: int


class Completed(msgspec.Struct, frozen=True):
    """Completed tasks of one kind: how many, their assignments and the seconds they took in all.

    `within_hours` is the class of their duration (None: longer than the longest class, or all);
    `assignments` how often each was assigned (5: five or more; None: all).
    """

    within_hours: int | None
    assignments: int | None
    count_tasks: int
    count_assignments: int
    seconds: int

    @property
    def mean_seconds(self) -> int | None:
        """How long one took on average; None without any."""
        return self.seconds // self.count_tasks if self.count_tasks else None


class OpenTasks(msgspec.Struct, frozen=True):
    """Open tasks of an age up to `within_hours` (None: older); `oldest_at` is of all of them."""

    within_hours: int | None
    count_tasks: int
    oldest_at: dt.datetime | None


class Today(msgspec.Struct, frozen=True):
    """The page's head: how fresh it is, which day it is, and how the company and people stand."""

    state: LakeState
    today: dt.date
    standing: Standing


class Dearest(msgspec.Struct, frozen=True):
    """Days of a period, as far as it has come, that saw a completion: oldest first."""

    first: dt.date
    last: dt.date
    days: tuple[DearestDay, ...]

    @property
    def of_span(self) -> DearestDay | None:
        """The dearest of the whole period; None when nothing was completed."""
        return next((day for day in self.days if day.is_of_span), None)


class Flow(msgspec.Struct, frozen=True):
    """How work flowed in a span: a row a day, the sum, and the sum of as many days before."""

    days: tuple[TaskDay, ...]
    span: TaskDay
    before: TaskDay
    by_time: tuple[Completed, ...]
    by_assignments: tuple[Completed, ...]
    completed: Completed
    open: tuple[OpenTasks, ...]

    @property
    def count_open(self) -> int:
        """Tasks that are open now."""
        return sum(each.count_tasks for each in self.open)

    @property
    def oldest_at(self) -> dt.datetime | None:
        """When the oldest open task was created; None when nothing is open."""
        return self.open[0].oldest_at


def read_today(
    connection: duckdb.DuckDBPyConnection, *, reader: Reader, local_date: dt.date
) -> Today:
    """Earnings of the running business day, and everybody below zero. Raises ReadRefusedError."""
    require_role(reader, ADMINS)
    with snapshot(connection):
        state = read_lake_state(connection)
        today = state.today(local_date)
        found = connection.execute(text_of("analytics_accounts"), {"today": today}).fetchone()
    assert found is not None, "the company has one row, whatever there is"
    figures = [*found[:-1], tuple(Person(**each) for each in found[-1])]
    return Today(state, today, Standing(*figures))


def read_dearest(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    today: dt.date,
    period: Period,
    date: dt.date | None = None,
) -> Dearest:
    """The dearest tasks of the day, ISO week or month around `date` (today without one).

    The period ends today at the latest. Raises ReadRefusedError.
    """
    require_role(reader, ADMINS)
    first, last = days_of(period, min(date or today, today))
    last = min(last, today)
    with snapshot(connection):
        days = rows(connection, DearestDay, "dearest_days", first=first, last=last)
    return Dearest(first, last, tuple(days))


def read_flow(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    today: dt.date,
    count_days: int,
    now: dt.datetime,
) -> Flow:
    """How work flowed in the `count_days` days that end today, and what is open at `now`.

    Raises ReadRefusedError.
    """
    require_role(reader, ADMINS)
    assert 1 <= count_days <= DAYS_MAX
    first = today - dt.timedelta(days=count_days - 1)
    dates = {"first": first, "last": today}
    with snapshot(connection):
        span, before, *days = rows(
            connection, TaskDay, "task_days", before=first - dt.timedelta(days=count_days), **dates
        )
        found = connection.execute(text_of("task_completions"), dates).fetchall()
        still_open = rows(connection, OpenTasks, "open_tasks", now=now)
    groups = {
        which: tuple(Completed(*row[1:]) for row in found if row[0] == which)
        for which in (BY_TIME, BY_ASSIGNMENTS, ALL_TOGETHER)
    }
    return Flow(
        days=tuple(days),
        span=span,
        before=before,
        by_time=groups[BY_TIME],
        by_assignments=groups[BY_ASSIGNMENTS],
        completed=groups[ALL_TOGETHER][0],
        open=tuple(still_open),
    )


def days_of(period: Period, date: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day of the day, ISO week or month in which a date lies."""
    if period == "week":
        first = date - dt.timedelta(days=date.weekday())
        return first, first + dt.timedelta(days=6)
    if period == "month":
        first = date.replace(day=1)
        return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    return date, date
