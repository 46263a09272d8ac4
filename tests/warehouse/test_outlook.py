"""The dry run of payouts agrees with what is then paid, and changes nothing."""

import datetime as dt

import duckdb
import pytest

from tests.pipelines.closed_days import FEE_CENTS, REWARD_CENTS, History
from warehouse.lake import connect
from warehouse.outlook import preview_payouts
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings

FIRST_DAY = dt.date(2026, 11, 1)
ONE_DAY = dt.timedelta(days=1)
GAIN_CENTS = REWARD_CENTS - FEE_CENTS


@pytest.fixture
def history(lake_settings: LakeSettings) -> History:
    """Two employees who registered on the first day, which is closed."""
    lake = connect(lake_settings)
    history = History(lake)
    history.register(2, FIRST_DAY)
    history.close(FIRST_DAY, 0, count_events=2)
    return history


def states(lake: duckdb.DuckDBPyConnection) -> dict[int, str]:
    return {day.business_date.day: day.state for day in preview_payouts(lake).days}


def test_what_is_shown_is_what_is_then_paid(history: History) -> None:
    for number in (1, 2):
        history.closed_day(FIRST_DAY + number * ONE_DAY, number)
    history.arrive()

    outlook = preview_payouts(history.lake)
    paid = pay_due_days(history.lake)

    assert outlook.due_cents == 3 * GAIN_CENTS
    assert [(day.business_date, day.count_payouts, day.payouts_cents) for day in outlook.days] == [
        (day.business_date, day.count_payouts, day.payouts_cents) for day in paid
    ]
    names = sorted(str(each.name) for each in outlook.payouts)
    assert names == ["Employee 0", "Employee 0", "Employee 1"]
    assert preview_payouts(history.lake).days == []


def test_a_day_is_due_waiting_open_or_stopped(history: History) -> None:
    history.closed_day(FIRST_DAY + ONE_DAY, 1)
    late = history.pending.pop(-2)
    history.work(1, FIRST_DAY + 2 * ONE_DAY)
    history.arrive()
    assert states(history.lake) == {1: "due", 2: "waiting", 3: "open"}

    history.pending.append(late)
    history.close(FIRST_DAY + 2 * ONE_DAY, 1, count_events=7)
    history.closed_day(FIRST_DAY + 3 * ONE_DAY, 1)
    history.arrive()

    outlook = preview_payouts(history.lake)
    assert states(history.lake) == {1: "due", 2: "due", 3: "stopped", 4: "stopped"}
    assert outlook.difference is not None
    assert "count_events: certificate 7, lake 3" in outlook.difference


def test_days_after_the_asked_one_are_not_looked_at(history: History) -> None:
    history.closed_day(FIRST_DAY + ONE_DAY, 1)
    history.arrive()

    assert [day.business_date for day in preview_payouts(history.lake, through=FIRST_DAY).days] == [
        FIRST_DAY
    ]


def test_an_empty_lake_has_nothing_to_show(lake_settings: LakeSettings) -> None:
    with connect(lake_settings) as lake:
        assert preview_payouts(lake).days == []
