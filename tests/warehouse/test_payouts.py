"""Closed days are paid in order, once, and only when they add up."""

import datetime as dt
import time
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import duckdb
import msgspec
import pytest

from contracts import registry
from contracts.events import BusinessDayClosedV1
from tests.warehouse.world import FIRST_DATE, Broker, World
from warehouse.ingest import LogRow, apply_batch, apply_missing
from warehouse.payouts import PAYOUT_NAMESPACE, CertificateMismatch, DayFigures, pay_due_days

Lake = duckdb.DuckDBPyConnection


def payouts(lake: Lake) -> dict[tuple[dt.date, UUID], int]:
    rows = lake.execute(
        "select business_date, employee_id, amount_cents from ledger.payouts"
    ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows), "one payout per employee and day"
    return {(date, employee): amount for date, employee, amount in rows}


def balances(lake: Lake) -> dict[str, int]:
    return dict(lake.execute("select account, balance_cents from marts.balances").fetchall())


@pytest.mark.parametrize("seed", range(4))
def test_payouts_are_those_of_the_day_by_day_rule(lake: Lake, seed: int) -> None:
    world = World(seed)
    world.hire(4)
    world.live(days=30)
    apply_batch(lake, Broker().publish(world.log))

    paid = pay_due_days(lake)

    assert payouts(lake) == world.payouts
    assert [day.business_date for day in paid] == [
        FIRST_DATE + dt.timedelta(days=number) for number in range(30)
    ]
    assert sum(day.payouts_cents for day in paid) == sum(world.payouts.values())
    found = balances(lake)
    assert found.pop("cash", 0) == sum(world.payouts.values())
    assert found.pop("company") == sum(world.earnings.values())
    assert found == {str(key): value for key, value in world.balances.items()}
    assert lake.execute("select sum(amount_cents) from ledger.postings").fetchone() == (0,)


def test_paying_day_by_day_or_all_at_once_gives_the_same(lake: Lake) -> None:
    world = World(5)
    world.hire(4)
    broker = Broker()
    done = 0
    for _ in range(12):
        world.live(days=1)
        apply_batch(lake, broker.publish(world.log[done:]))
        done = len(world.log)
        assert len(pay_due_days(lake)) == 1

    assert payouts(lake) == world.payouts


def test_a_second_run_pays_nothing(lake: Lake, world: World) -> None:
    world.live(days=5)
    apply_batch(lake, Broker().publish(world.log))
    pay_due_days(lake)
    before = balances(lake)

    assert pay_due_days(lake) == []
    assert balances(lake) == before


def test_nothing_is_paid_before_every_position_has_arrived(lake: Lake, world: World) -> None:
    world.live(days=3)
    broker = Broker()
    apply_batch(lake, broker.publish(world.log[:6] + world.log[7:]))

    assert pay_due_days(lake) == []

    apply_missing(lake, world.log[6:7])
    assert len(pay_due_days(lake)) == 3


def test_days_after_the_asked_one_wait(lake: Lake, world: World) -> None:
    world.live(days=4)
    apply_batch(lake, Broker().publish(world.log))

    assert len(pay_due_days(lake, through=FIRST_DATE + dt.timedelta(days=1))) == 2
    assert len(pay_due_days(lake)) == 2


def test_a_debt_carries_over_unchanged(lake: Lake) -> None:
    world = World(2)
    world.hire(1)
    task = world.create_task()
    world.close_day()
    world.close_day()
    apply_batch(lake, Broker().publish(world.log))

    paid = pay_due_days(lake)

    assert [(day.count_payouts, day.payouts_cents) for day in paid] == [(0, 0), (0, 0)]
    assert balances(lake)[str(task.assignee_id)] == -task.fee_cents
    assert payouts(lake) == {}


def test_a_balance_of_exactly_zero_is_not_paid(lake: Lake) -> None:
    world = World(3)
    world.hire(1)
    task = world.create_task()
    for _ in range(task.reward_cents // 1000):  # drive the balance down, then up to zero
        world.reassign_all()
    world.complete(task)
    difference = world.balances[task.assignee_id]
    world.close_day()
    apply_batch(lake, Broker().publish(world.log))

    pay_due_days(lake)

    assert payouts(lake) == ({(FIRST_DATE, task.assignee_id): difference} if difference > 0 else {})


def test_the_entry_id_follows_from_date_and_employee(lake: Lake, world: World) -> None:
    world.live(days=10)
    apply_batch(lake, Broker().publish(world.log))
    pay_due_days(lake)

    rows = lake.execute(
        "select entry_id, business_date, employee_id from ledger.payouts"
    ).fetchall()

    assert rows
    assert all(
        entry_id == uuid5(PAYOUT_NAMESPACE, f"{date}/{employee_id}")
        for entry_id, date, employee_id in rows
    )


def test_a_payout_is_one_entry_of_two_postings(lake: Lake, world: World) -> None:
    world.live(days=10)
    apply_batch(lake, Broker().publish(world.log))
    pay_due_days(lake)

    entries = lake.execute(
        "select entry_id, sum(amount_cents), count(*), max(amount_cents) from ledger.postings"
        " where kind = 'payout' group by entry_id"
    ).fetchall()

    amounts = dict(lake.execute("select entry_id, amount_cents from ledger.payouts").fetchall())
    assert {row[0]: row[1:] for row in entries} == {
        entry_id: (0, 2, amount) for entry_id, amount in amounts.items()
    }


def test_a_certificate_that_disagrees_stops_its_day_and_all_after_it(lake: Lake) -> None:
    world = World(6)
    world.hire(3)
    world.live(days=2)
    world.work(10)
    fees = world.open_fees_cents
    world.open_fees_cents += 100
    bad_date = world.date
    count, rewards = world.open_count, world.open_rewards_cents
    world.close_day()
    world.live(days=2)
    apply_batch(lake, Broker().publish(world.log))

    with pytest.raises(
        CertificateMismatch, match=f"fees_cents: certificate {fees + 100}"
    ) as caught:
        pay_due_days(lake)

    assert caught.value.business_date == bad_date
    assert caught.value.found == DayFigures(count, fees, rewards)
    assert {date for date, _ in payouts(lake)} <= {FIRST_DATE, FIRST_DATE + dt.timedelta(days=1)}
    assert lake.execute("select count(*) from ledger.paid_days").fetchone() == (2,)
    with pytest.raises(CertificateMismatch):
        pay_due_days(lake)


def test_a_day_without_certificate_stops_the_days_after_it(lake: Lake, world: World) -> None:
    world.live(days=2)
    skipped = world.date
    world.date += dt.timedelta(days=1)
    world.live(days=1)
    apply_batch(lake, Broker().publish(world.log))

    with pytest.raises(CertificateMismatch, match="no certificate") as caught:
        pay_due_days(lake)

    assert caught.value.business_date == skipped
    assert lake.execute("select count(*) from ledger.paid_days").fetchone() == (2,)


def test_an_event_missing_from_the_day_is_named(lake: Lake, world: World) -> None:
    world.work(10)
    world.open_count += 1
    world.close_day()
    apply_batch(lake, Broker().publish(world.log))

    with pytest.raises(CertificateMismatch, match="count_events"):
        pay_due_days(lake)


def test_785_missed_days_are_paid_in_one_go(lake: Lake) -> None:
    world = World(8)
    world.hire(100)
    for _ in range(785):
        world.work(12)
        world.close_day()
    for start in range(0, len(world.log), 20_000):
        apply_missing(lake, world.log[start : start + 20_000])
    start = time.process_time()

    paid = pay_due_days(lake)

    assert len(paid) == 785
    assert payouts(lake) == world.payouts
    assert time.process_time() - start < 5  # seconds of CPU; about 0.5 when measured


def test_a_certificate_may_count_no_event(lake: Lake) -> None:
    world = World(9)
    world.emit(
        BusinessDayClosedV1(
            business_date=world.date,
            last_position=0,
            count_events=0,
            fees_cents=0,
            rewards_cents=0,
            is_mail_wanted=False,
        ),
        world.date.isoformat(),
        1,
    )
    apply_batch(lake, Broker().publish(world.log))

    assert [(day.business_date, day.count_payouts) for day in pay_due_days(lake)] == [
        (FIRST_DATE, 0)
    ]


def test_a_day_is_what_the_tracker_says_not_what_the_clock_shows(lake: Lake) -> None:
    """A zone far east has its 25-hour day, and its days begin on the date before in UTC."""
    auckland = ZoneInfo("Pacific/Auckland")
    world = World(date=dt.date(2026, 4, 5))  # clocks go back at 3:00
    world.hire(2)
    start = dt.datetime.combine(world.date, dt.time(), auckland).astimezone(dt.UTC)
    task = world.create_task()
    world.complete(task)
    world.log[-1] = _at(world.log[-1], start + dt.timedelta(hours=24, minutes=59))
    world.log[-2] = _at(world.log[-2], start)
    world.close_day()
    apply_batch(lake, Broker().publish(world.log))

    paid = pay_due_days(lake)

    assert [day.business_date for day in paid] == [dt.date(2026, 4, 5)]
    assert payouts(lake) == world.payouts
    dates = lake.execute("select distinct business_date from ledger.account_days").fetchall()
    assert dates == [(dt.date(2026, 4, 5),)]


def _at(row: LogRow, moment: dt.datetime) -> LogRow:
    envelope, _ = registry.decode(row.body)
    changed = msgspec.structs.replace(envelope, time=moment)
    return LogRow(row.position, row.topic, msgspec.json.encode(changed))
