"""Closing days: in order, once each, with a certificate that adds up."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest

from contracts.events import BusinessDayClosedV1
from ops_api.days.commands import close_day, close_due_days
from ops_api.days.queries import newest_certificates
from ops_api.errors import ConflictError
from ops_api.tasks.commands import complete_task, create_task
from ops_api.tasks.reassign import reassign_open_tasks
from tests.ops_api.conftest import World

MONDAY, TUESDAY, WEDNESDAY = (dt.date(2026, 3, day) for day in (2, 3, 4))


def test_a_certificate_adds_up_the_day(world: World) -> None:
    worker = world.employee()
    first, second = (world.run(create_task, worker.employee_id, title=f"{n}") for n in range(2))
    world.run(reassign_open_tasks)
    world.run(complete_task, worker.employee_id, task_id=first.task_id)
    world.clock.forward(days=1)
    world.run(complete_task, worker.employee_id, task_id=second.task_id)

    certificate = world.run(close_day, day=MONDAY)

    assert certificate.count_events == 1 + 2 + 2 + 2 + 1
    assert certificate.fees_cents == 2 * (first.fee_cents + second.fee_cents)
    assert certificate.rewards_cents == first.reward_cents
    assert certificate.last_position == 9  # the task done on Tuesday has its position, too
    position, envelope, data = world.log()[-1]
    assert position == 10
    assert (envelope.subject, envelope.sequence, envelope.businessdate) == (
        "2026-03-02", 1, MONDAY,
    )  # fmt: skip
    assert data == BusinessDayClosedV1(
        business_date=MONDAY,
        last_position=9,
        count_events=8,
        fees_cents=certificate.fees_cents,
        rewards_cents=certificate.rewards_cents,
    )


def test_a_closed_day_gives_the_same_certificate_again(world: World) -> None:
    world.employee()
    world.clock.forward(days=2)

    first = world.run(close_day, day=MONDAY)
    world.clock.forward(hours=1)

    assert world.run(close_day, day=MONDAY) == first
    assert len(world.log()) == 2


def test_a_day_does_not_count_its_own_certificate_or_that_of_another(world: World) -> None:
    world.employee()
    world.clock.forward(days=3)

    certificates = close_due_days(world.engine, world.context())

    assert [(each.business_date, each.count_events) for each in certificates] == [
        (MONDAY, 1), (TUESDAY, 0), (WEDNESDAY, 0),
    ]  # fmt: skip
    assert [each.last_position for each in certificates] == [1, 2, 3]


@pytest.mark.parametrize("day", [TUESDAY, WEDNESDAY, dt.date(2026, 3, 1), dt.date(2030, 1, 1)])
def test_a_day_that_is_not_over_or_not_next_stays_open(world: World, day: dt.date) -> None:
    world.employee()
    world.clock.forward(days=2)  # Wednesday: Monday is due first

    with pytest.raises(ConflictError):
        world.run(close_day, day=day)

    assert world.one("select count(*) from business_days") == 0


def test_where_nothing_has_happened_no_day_is_due(world: World) -> None:
    assert close_due_days(world.engine, world.context()) == []
    with pytest.raises(ConflictError):
        world.run(close_day, day=dt.date(2026, 3, 1))


def test_what_happens_after_a_close_counts_for_a_later_day_even_if_the_clock_lags(
    world: World,
) -> None:
    worker = world.employee()
    world.clock.forward(hours=12)
    world.run(close_day, day=MONDAY)
    world.clock.forward(hours=-1)

    world.run(create_task, worker.employee_id, title="Sweep")

    assert {event[1].businessdate for event in world.log()[-2:]} == {TUESDAY}


def test_the_business_zone_decides_when_a_day_is_over(world: World) -> None:
    world.zone = ZoneInfo("America/New_York")
    world.employee()
    world.clock.now = dt.datetime(2026, 3, 3, 4, 59, 59, tzinfo=dt.UTC)
    assert close_due_days(world.engine, world.context()) == []

    world.clock.forward(seconds=1)

    assert [each.business_date for each in close_due_days(world.engine, world.context())] == [
        MONDAY
    ]


def test_ten_closers_at_once_close_each_day_once(world: World) -> None:
    worker = world.employee()
    for _ in range(5):
        world.run(create_task, worker.employee_id, title="Sweep")
        world.clock.forward(days=1)

    with ThreadPoolExecutor(10) as pool:
        runs = [pool.submit(close_due_days, world.engine, world.context()) for _ in range(10)]
        closed = [each.business_date for run in runs for each in run.result()]

    assert sorted(closed) == [MONDAY + dt.timedelta(days=n) for n in range(5)]
    events = [data for _, _, data in world.log() if isinstance(data, BusinessDayClosedV1)]
    assert [event.business_date for event in events] == sorted(closed)
    assert [event.count_events for event in events] == [3, 2, 2, 2, 2]


def test_a_close_waits_for_commands_under_way_and_counts_them(world: World) -> None:
    worker = world.employee()
    connection = world.engine.connect()
    transaction = connection.begin()
    late = world.context(worker.employee_id)
    create_task(connection, late, title="Late")
    world.clock.forward(days=1)

    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(world.run, close_day, day=MONDAY)
        with pytest.raises(TimeoutError):
            closing.result(timeout=0.3)
        transaction.commit()
        connection.close()
        certificate = closing.result(timeout=10)

    assert certificate.count_events == 3


def test_days_are_listed_newest_first(world: World) -> None:
    world.employee()
    world.clock.forward(days=3)
    close_due_days(world.engine, world.context())

    listed = world.run(
        lambda connection, _: newest_certificates(connection, before=WEDNESDAY, limit=5)
    )

    assert [each.business_date for each in listed] == [TUESDAY, MONDAY]
