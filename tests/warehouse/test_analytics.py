"""Analytics against books kept in plain Python: below zero, dearest tasks, flow, ages, rights."""

import datetime as dt
from collections import Counter

import duckdb
import pytest

from contracts import registry
from contracts.events import TaskCompletedV1
from tests.warehouse.task_books import keep_books
from tests.warehouse.world import FIRST_DATE, World
from warehouse.analytics import Completed, days_of, read_dearest, read_flow, read_today
from warehouse.ingest import apply_missing
from warehouse.payouts import pay_due_days
from warehouse.reading import OPERATOR, Reader, ReadRefusedError
from warehouse.upkeep import tend

Lake = duckdb.DuckDBPyConnection
DAYS = 12


@pytest.fixture
def lived(lake: Lake) -> World:
    """Twelve days of business, closed and paid, half of them folded, and work on the day after."""
    world = World(5)
    world.hire(6)
    world.live(DAYS, steps=40)
    world.work(4)
    apply_missing(lake, world.log[:150])
    tend(lake, 500)
    apply_missing(lake, world.log[150:])
    pay_due_days(lake)
    return world


def noon(world: World) -> dt.datetime:
    return dt.datetime.combine(world.date, dt.time(12), dt.UTC)


def net_of_today(world: World) -> dict[object, int]:
    """Rewards - fees of each employee on the last day, from the log."""
    net: Counter[object] = Counter()
    for row in world.log:
        envelope, data = registry.decode(row.body)
        if envelope.businessdate == world.date and envelope.type == "task.assigned":
            net[data.assignee_id] -= data.fee_cents  # type: ignore[attr-defined]
        if envelope.businessdate == world.date and isinstance(data, TaskCompletedV1):
            net[data.employee_id] += data.reward_cents
    return net


def test_who_is_below_zero_now_and_who_lost_today_are_told_apart(lake: Lake, lived: World) -> None:
    today = read_today(lake, reader=OPERATOR, local_date=lived.date)
    standing, net = today.standing, net_of_today(lived)

    debts = {who: cents for who, cents in lived.balances.items() if cents < 0}
    losses = {who: cents for who, cents in net.items() if cents < 0}
    assert debts.keys() != losses.keys()
    assert (standing.count_below_zero, standing.below_zero_cents) == (
        len(debts), sum(debts.values())
    )  # fmt: skip
    assert (standing.count_net_below_zero, standing.net_below_zero_cents) == (
        len(losses), sum(losses.values())
    )  # fmt: skip
    found = {each.employee_id: (each.balance_cents, each.net_cents) for each in standing.people}
    assert found == {who: (lived.balances[who], net[who]) for who in {*debts, *losses}}
    assert [each.balance_cents for each in standing.people] == sorted(
        each.balance_cents for each in standing.people
    )
    assert all(str(each.name).startswith("Employee ") for each in standing.people)
    assert (standing.earnings_cents, standing.yesterday_cents) == (
        lived.earnings[lived.date], lived.earnings[lived.date - dt.timedelta(days=1)]
    )  # fmt: skip
    assert standing.fees_cents - standing.rewards_cents == standing.earnings_cents
    assert today.today == lived.date


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_the_dearest_task_has_a_line_a_day_and_one_of_the_span(
    lake: Lake, lived: World, period: str
) -> None:
    first, last = days_of(period, lived.date)  # type: ignore[arg-type]
    best: dict[dt.date, tuple[int, dt.datetime, object]] = {}
    for row in lived.log:
        envelope, data = registry.decode(row.body)
        if isinstance(data, TaskCompletedV1) and first <= envelope.businessdate <= last:
            rank = (-data.reward_cents, envelope.time, data.task_id)
            best[envelope.businessdate] = min(best.get(envelope.businessdate, rank), rank)

    dearest = read_dearest(lake, reader=OPERATOR, today=lived.date, period=period)  # type: ignore[arg-type]

    found = {each.business_date: each for each in dearest.days}
    assert [*found] == sorted(best)
    for date, (negative_reward, completed_at, task_id) in best.items():
        day = found[date]
        assert (day.reward_cents, day.completed_at, day.task_id) == (
            -negative_reward, completed_at, task_id
        )  # fmt: skip
    assert dearest.of_span is not None
    assert dearest.of_span.task_id == min(best.values())[2]
    assert sum(each.is_of_span for each in dearest.days) == 1
    assert (dearest.first, dearest.last) == (first, lived.date)


def test_a_period_without_a_completion_has_no_dearest_task(lake: Lake, lived: World) -> None:
    long_ago = FIRST_DATE - dt.timedelta(days=90)
    dearest = read_dearest(lake, reader=OPERATOR, today=lived.date, period="month", date=long_ago)

    assert (dearest.days, dearest.of_span) == ((), None)
    assert dearest.last < FIRST_DATE


def test_weeks_begin_on_monday_and_months_end_on_their_last_day() -> None:
    assert days_of("week", dt.date(2026, 1, 1)) == (dt.date(2025, 12, 29), dt.date(2026, 1, 4))
    assert days_of("month", dt.date(2024, 2, 10)) == (dt.date(2024, 2, 1), dt.date(2024, 2, 29))
    assert days_of("month", dt.date(2025, 12, 31)) == (dt.date(2025, 12, 1), dt.date(2025, 12, 31))
    assert days_of("day", FIRST_DATE) == (FIRST_DATE, FIRST_DATE)


@pytest.mark.parametrize("count_days", [1, 5, 30])
def test_the_flow_of_a_span_is_that_of_its_days(lake: Lake, lived: World, count_days: int) -> None:
    flow = read_flow(
        lake, reader=OPERATOR, today=lived.date, count_days=count_days, now=noon(lived)
    )
    books = keep_books(lived.log)
    first = lived.date - dt.timedelta(days=count_days - 1)

    def counted(start: dt.date, days: int) -> tuple[int, ...]:
        dates = [start + dt.timedelta(days=number) for number in range(days)]
        columns = (books.created, books.assigned, books.reassigned, books.completed)
        return tuple(sum(column[date] for date in dates) for column in columns)

    def figures(day: object) -> tuple[object, ...]:
        names = ("count_created", "count_assigned", "count_reassigned", "count_completed")
        return tuple(getattr(day, name) for name in names)

    assert [day.business_date for day in flow.days] == [
        first + dt.timedelta(days=number) for number in range(count_days)
    ]
    assert all(figures(day) == counted(day.business_date, 1) for day in flow.days)  # type: ignore[arg-type]
    assert figures(flow.span) == counted(first, count_days)
    assert figures(flow.before) == counted(first - dt.timedelta(days=count_days), count_days)

    done = [task for task in books.finished if task.business_date >= first]
    seconds = sum(task.duration // dt.timedelta(seconds=1) for task in done)
    hands = sum(task.assignments for task in done)
    assert flow.completed == Completed(None, None, len(done), hands, seconds)
    assert {each.within_hours: each.count_tasks for each in flow.by_time} == Counter(
        task.within_hours for task in done
    )
    assert {each.assignments: each.count_tasks for each in flow.by_assignments} == Counter(
        min(task.assignments, 5) for task in done
    )


def test_open_tasks_are_counted_by_their_age(lake: Lake, lived: World) -> None:
    now = noon(lived)
    flow = read_flow(lake, reader=OPERATOR, today=lived.date, count_days=1, now=now)
    created = keep_books(lived.log).open.values()

    def within(hours: int | None) -> int:
        bounds = [0, 24, 72, 168, 672]
        upper = dt.timedelta(hours=hours) if hours else dt.timedelta.max
        lower = dt.timedelta(hours=bounds[bounds.index(hours) - 1] if hours else 672)
        return sum(lower < max(now - at, dt.timedelta(seconds=1)) <= upper for at in created)

    assert [each.within_hours for each in flow.open] == [24, 72, 168, 672, None]
    assert [each.count_tasks for each in flow.open] == [
        within(each.within_hours) for each in flow.open
    ]
    assert (flow.count_open, flow.oldest_at) == (len(lived.tasks), min(created))
    assert flow.count_open > 0


def test_an_empty_lake_has_figures_and_they_are_nothing(lake: Lake) -> None:
    today = read_today(lake, reader=OPERATOR, local_date=FIRST_DATE)
    flow = read_flow(
        lake, reader=OPERATOR, today=FIRST_DATE, count_days=7, now=dt.datetime.now(dt.UTC)
    )

    assert (today.standing.earnings_cents, today.standing.people) == (0, ())
    assert (flow.span.count_created, flow.completed.mean_seconds, flow.count_open) == (0, None, 0)
    assert (len(flow.days), flow.oldest_at) == (7, None)


@pytest.mark.parametrize("role", ["worker", "manager", "accountant"])
def test_analytics_is_refused_to_everybody_but_admins(lake: Lake, role: str) -> None:
    reader = Reader(role=role)  # type: ignore[arg-type]
    now = dt.datetime.now(dt.UTC)
    for read in (
        lambda: read_today(lake, reader=reader, local_date=FIRST_DATE),
        lambda: read_dearest(lake, reader=reader, today=FIRST_DATE, period="day"),
        lambda: read_flow(lake, reader=reader, today=FIRST_DATE, count_days=1, now=now),
    ):
        with pytest.raises(ReadRefusedError):
            read()
