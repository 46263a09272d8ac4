"""Payouts through Dagster: any range in one run, a re-run pays nothing, a sensor that asks once."""

import datetime as dt
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest

from pipelines.defs.payouts import sensors
from pipelines.defs.payouts.assets import PAYOUTS
from pipelines.defs.payouts.jobs import preview_payouts_job
from pipelines.defs.payouts.partitions import business_dates
from pipelines.defs.payouts.sensors import RANGE_END_TAG, RANGE_START_TAG, pay_certified_days
from tests.figures import figure
from tests.pipelines.closed_days import FEE_CENTS, REWARD_CENTS, History, run, tick
from warehouse.paydays import read_payable_days
from warehouse.payouts import pay_due_days

FIRST_DAY = dt.date(2026, 11, 1)
GAIN_CENTS = REWARD_CENTS - FEE_CENTS
COUNT_EMPLOYEES = 3


def day(number: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=number)


def key(number: int) -> str:
    return day(number).isoformat()


@pytest.fixture
def history(lake: duckdb.DuckDBPyConnection) -> History:
    """Employees who registered the day before FIRST_DAY, which is closed without tasks."""
    history = History(lake)
    history.register(COUNT_EMPLOYEES, day(-1))
    history.close(day(-1), 0, count_events=COUNT_EMPLOYEES)
    return history


def asked_range(result: dg.SensorResult | dg.SkipReason) -> tuple[str, str]:
    assert isinstance(result, dg.SensorResult)
    assert result.run_requests is not None
    (request,) = result.run_requests
    assert request.run_key is None
    return request.tags[RANGE_START_TAG], request.tags[RANGE_END_TAG]


def paid(lake: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return lake.execute(
        "select business_date, count(*), sum(amount_cents)::bigint from lake.ledger.payouts"
        " group by all order by all"
    ).fetchall()


def test_one_run_pays_a_whole_range_and_shows_each_day(
    history: History, instance: dg.DagsterInstance
) -> None:
    for number in range(20):
        history.closed_day(day(number), COUNT_EMPLOYEES)
    history.arrive()

    first, last = asked_range(tick(instance))
    result = run(instance, first, last)

    assert (first, last) == (key(-1), key(19))
    assert paid(history.lake) == [
        (day(number), COUNT_EMPLOYEES, COUNT_EMPLOYEES * GAIN_CENTS) for number in range(20)
    ]
    events = {
        event.partition: event
        for event in result.asset_materializations_for_node("ledger__payouts")
    }
    assert sorted(events) == [key(number) for number in range(-1, 20)]
    latest = instance.get_latest_materialization_event(PAYOUTS)
    assert latest is not None
    assert latest.asset_materialization is not None
    assert latest.asset_materialization.partition == key(19), "the newest day is told last"
    assert events[key(3)].metadata["payouts_cents"].value == COUNT_EMPLOYEES * GAIN_CENTS
    assert events[key(-1)].metadata["dagster/partition_row_count"].value == 0


def test_a_run_says_of_every_certificate_that_it_agrees_before_it_pays(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.arrive()

    result = run(instance, *asked_range(tick(instance)))

    (check,) = result.get_asset_check_evaluations()
    assert check.check_name == "certificate_agrees"
    assert check.passed
    assert check.metadata["days_that_agree"].value == 2


def test_a_dry_run_shows_what_would_be_paid_and_pays_nothing(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.work(1, day(1))
    history.arrive()

    result = preview_payouts_job.execute_in_process(instance=instance)

    (event,) = [event for event in result.all_events if event.is_asset_observation]
    shown = event.asset_observation_data.asset_observation.metadata
    assert shown["due_cents"].value == COUNT_EMPLOYEES * GAIN_CENTS
    assert "| 2026-11-02 | open | 1 | 25.00 |" in str(shown["days"].value)
    assert "| 2026-11-01 | Employee 0 | 25.00 |" in str(shown["payouts"].value)
    assert paid(history.lake) == []
    assert instance.get_materialized_partitions(PAYOUTS) == set()


def test_a_dry_run_through_no_date_is_refused(instance: dg.DagsterInstance) -> None:
    config = {"ops": {"show_preview": {"config": {"through": "yesterday"}}}}

    result = preview_payouts_job.execute_in_process(
        instance=instance, run_config=config, raise_on_error=False
    )

    assert not result.success


def test_a_rerun_of_any_range_pays_nothing(history: History, instance: dg.DagsterInstance) -> None:
    for number in range(3):
        history.closed_day(day(number), COUNT_EMPLOYEES)
    history.arrive()
    run(instance, *asked_range(tick(instance)))
    before = paid(history.lake)

    run(instance, key(1), key(2))

    assert paid(history.lake) == before


def test_days_before_the_range_are_paid_first(
    history: History, instance: dg.DagsterInstance
) -> None:
    for number in range(3):
        history.closed_day(day(number), COUNT_EMPLOYEES)
    history.arrive()
    tick(instance)

    run(instance, key(1), key(1))

    assert [row[0] for row in paid(history.lake)] == [day(0), day(1)]


def test_a_certificate_that_disagrees_fails_the_run_with_the_difference_named(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.work(COUNT_EMPLOYEES, day(1))
    history.close(day(1), COUNT_EMPLOYEES, count_events=4)
    history.closed_day(day(2), COUNT_EMPLOYEES)
    history.arrive()

    result = run(instance, *asked_range(tick(instance)), raise_on_error=False)

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    message = failure.step_failure_data.user_failure_data.description
    assert "2026-11-02" in message
    assert "count_events: certificate 4, lake 9" in message
    assert [row[0] for row in paid(history.lake)] == [day(0)]
    # What was paid before it is shown, and the check says why nothing later is.
    assert instance.get_materialized_partitions(PAYOUTS) == {key(-1), key(0)}
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.metadata["stopped_at"].value == key(1)
    assert "| count_events | 4 | 9 |" in str(check.metadata["figures"].value)


def test_the_sensor_waits_for_events_that_have_not_arrived(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    late = history.pending.pop(-3)
    history.arrive()
    assert asked_range(tick(instance)) == (key(-1), key(-1))

    history.pending.append(late)
    history.arrive()

    assert asked_range(tick(instance)) == (key(-1), key(0))


def test_while_an_import_brings_days_the_sensor_asks_for_no_run(
    history: History, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = sensors.DAYS_OF_AN_IMPORT_MIN
    monkeypatch.setattr(sensors, "DAYS_OF_AN_IMPORT_MIN", 2)
    for number in (0, 1, 2):
        history.closed_day(day(number), COUNT_EMPLOYEES)
        history.arrive()
        assert isinstance(tick(instance), dg.SkipReason)
    assert asked_range(tick(instance)) == (key(-1), key(2)), "no further day has arrived"

    history.closed_day(day(3), COUNT_EMPLOYEES)
    history.arrive()
    monkeypatch.setattr(sensors, "_yesterday", lambda: day(3))
    assert asked_range(tick(instance)) == (key(-1), key(3)), "it cannot be followed by another"

    monkeypatch.setattr(sensors, "_yesterday", lambda: day(9))
    monkeypatch.setattr(sensors, "DAYS_OF_AN_IMPORT_MIN", many)
    history.closed_day(day(4), COUNT_EMPLOYEES)
    history.arrive()
    assert asked_range(tick(instance)) == (key(-1), key(4)), "few days come from no import"


def test_the_sensor_is_quiet_when_everything_is_paid_and_shown(
    history: History, instance: dg.DagsterInstance
) -> None:
    assert isinstance(tick(instance), dg.SkipReason)
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.arrive()
    run(instance, *asked_range(tick(instance)))

    assert figure("ates_payout_days_waiting") == 2
    with dg.build_sensor_context(instance=instance) as context:
        assert isinstance(pay_certified_days(context), dg.SkipReason)
        assert context.cursor == key(0)
    with patch.object(sensors, "read_payable_days", side_effect=read_payable_days) as look:
        for _ in range(3):
            assert isinstance(tick(instance, cursor=key(0)), dg.SkipReason)
        assert look.call_count == 1, "the lake is the same: there is nothing to look for"
        assert figure("ates_payout_days_waiting") == figure("ates_payout_failed_runs") == 0
        history.closed_day(day(1), COUNT_EMPLOYEES)
        history.arrive()
        assert asked_range(tick(instance, cursor=key(0))) == (key(1), key(1))
        assert asked_range(tick(instance, cursor=key(0))) == (key(1), key(1)), "until it is paid"


def test_a_day_paid_but_never_shown_is_shown_by_the_next_run(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.closed_day(day(1), COUNT_EMPLOYEES)
    history.arrive()
    pay_due_days(history.lake)

    run(instance, *asked_range(tick(instance)))

    assert instance.get_materialized_partitions(PAYOUTS) == {key(-1), key(0), key(1)}


def test_a_lake_made_anew_is_paid_again_whatever_the_cursor_says(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.arrive()

    assert asked_range(tick(instance, cursor=key(7))) == (key(-1), key(0))


def test_the_sensor_asks_for_nothing_while_a_run_is_under_way(
    history: History, instance: dg.DagsterInstance
) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.arrive()
    instance.add_run(dg.DagsterRun(job_name="pay_due_days", status=dg.DagsterRunStatus.STARTED))

    result = tick(instance)

    assert isinstance(result, dg.SkipReason)
    assert "under way" in str(result.skip_message)


def test_after_a_failure_the_sensor_pauses_and_then_asks_again(
    history: History, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.close(day(0), 0, count_events=9)
    history.arrive()
    run(instance, *asked_range(tick(instance)), raise_on_error=False)

    result = tick(instance)
    assert isinstance(result, dg.SkipReason)
    assert "1 payout runs failed" in str(result.skip_message)
    assert figure("ates_payout_failed_runs") == 1
    assert figure("ates_payout_days_waiting") == 1

    monkeypatch.setattr(sensors, "RETRY_SECONDS_FIRST", 0.0)
    assert asked_range(tick(instance)) == (key(0), key(0))


def test_partitions_are_the_certified_days(history: History, instance: dg.DagsterInstance) -> None:
    history.closed_day(day(0), COUNT_EMPLOYEES)
    history.arrive()
    tick(instance)

    assert business_dates.get_partition_keys(dynamic_partitions_store=instance) == [key(-1), key(0)]
