"""The rounds of checks: evaluated without a run, after changes, and told once they differ."""

import datetime as dt

import dagster as dg
import duckdb
import msgspec
import pytest
from sqlalchemy import Engine, text

from pipelines import standing
from pipelines.defs.checks import sensors
from pipelines.defs.checks.checks import INVARIANTS, markdown_table, verify_lake
from pipelines.defs.checks.sensors import Cursor, verify_lake_round
from pipelines.verification import TookTooLongError, read_epochs
from tests.pipelines.closed_days import History
from warehouse.results import read_results

BROKEN = (
    "insert into lake.ledger.postings by name select uuid() as entry_id, 'fee' as kind,"
    " 'company' as account, 7 as amount_cents, '2026-11-01' as business_date, now() as occurred_at"
)

PUBLISHED = text("update publications set published_position = :position")
QUARANTINED = (
    "insert into lake.raw.quarantine by name select uuid() as quarantine_id,"
    " {position} as position, 'tasks' as topic, 'not-json' as reason, '' as detail,"
    " now() as received_at, 0 as attempts"
)


@pytest.fixture(autouse=True)
def long_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is as one that began a while ago."""
    monkeypatch.setattr(sensors, "SETTLING_SECONDS", 0.0)


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of two checks, where it is no matter how many there are."""
    few = {name: INVARIANTS[name] for name in ("ledger_sums_to_zero", "ledger_entries_balance")}
    monkeypatch.setattr(sensors, "INVARIANTS", few)


def tick(
    instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        result = verify_lake_round(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def first_round(instance: dg.DagsterInstance) -> dg.SensorResult:
    result = tick(instance)
    assert isinstance(result, dg.SensorResult)
    return result


def evaluations(result: dg.SensorResult | dg.SkipReason) -> dict[str, dg.AssetCheckEvaluation]:
    assert isinstance(result, dg.SensorResult)
    return {
        event.check_name: event
        for event in result.asset_events
        if isinstance(event, dg.AssetCheckEvaluation)
    }


def later(cursor: str | None, seconds: float) -> str:
    """The same cursor, as if the round had been so long ago."""
    assert cursor is not None
    before = msgspec.json.decode(cursor, type=Cursor)
    moved = msgspec.structs.replace(before, looked_at=before.looked_at - seconds)
    return msgspec.json.encode(moved).decode()


def test_a_round_evaluates_every_check_counts_every_table_and_keeps_the_results(
    instance: dg.DagsterInstance, lake: duckdb.DuckDBPyConnection
) -> None:
    result = first_round(instance)

    found = evaluations(result)
    assert found.keys() >= INVARIANTS.keys()
    assert all(each.passed for each in found.values())
    tables = {
        event.asset_key.to_user_string(): event.metadata
        for event in result.asset_events
        if isinstance(event, dg.AssetMaterialization)
    }
    assert tables["ledger/postings"]["dagster/row_count"].value == 0
    assert "| account |" in str(tables["marts/balances"]["preview"].value)
    assert {each.checked_by for each in read_results(lake)} == {"dagster"}


@pytest.mark.usefixtures("few_checks")
def test_the_next_round_waits_for_a_change_or_an_hour(
    instance: dg.DagsterInstance, lake: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as just_started:
        just_started.setattr(sensors, "SETTLING_SECONDS", 1e9)
        assert "ledger_sums_to_zero" not in evaluations(tick(instance))
    first = first_round(instance)
    assert isinstance(tick(instance, first.cursor), dg.SkipReason)
    assert isinstance(tick(instance, later(first.cursor, 600)), dg.SkipReason)

    history = History(lake)
    history.register(1, dt.datetime.now(dt.UTC).date())
    history.arrive()

    assert isinstance(tick(instance, first.cursor), dg.SkipReason)
    assert isinstance(tick(instance, later(first.cursor, 600)), dg.SensorResult)


@pytest.mark.usefixtures("few_checks")
def test_a_broken_ledger_fails_its_checks_with_the_rows_that_offend(
    instance: dg.DagsterInstance, lake: duckdb.DuckDBPyConnection
) -> None:
    lake.execute(BROKEN)

    found = evaluations(tick(instance))

    assert not found["ledger_entries_balance"].passed
    assert found["ledger_entries_balance"].metadata["offending_rows"].value == 1
    assert "| entry_id |" in str(found["ledger_entries_balance"].metadata["for_instance"].value)


@pytest.mark.usefixtures("few_checks")
def test_an_unpaid_yesterday_is_told_at_once_without_a_round(
    instance: dg.DagsterInstance, lake: duckdb.DuckDBPyConnection
) -> None:
    history = History(lake)
    history.register(1, dt.date(2026, 1, 1))
    history.work(1, dt.date(2026, 1, 1))
    history.arrive()
    result = first_round(instance)
    before = msgspec.json.decode(str(result.cursor), type=Cursor)
    before.told["yesterday_is_closed_and_paid"] = "all is paid"
    told = evaluations(tick(instance, msgspec.json.encode(before).decode()))

    assert not evaluations(result)["yesterday_is_closed_and_paid"].passed
    assert not told["yesterday_is_closed_and_paid"].passed
    assert "ledger_sums_to_zero" not in told


@pytest.mark.usefixtures("few_checks")
def test_events_that_do_not_arrive_are_told_also_while_ingest_is_off_and_so_is_their_end(
    instance: dg.DagsterInstance, mail_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = first_round(instance)
    an_hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    monkeypatch.setattr(standing, "read_occurred_at", lambda _tracker, _position: an_hour_ago)

    def look_with(published: int, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        with mail_engine.begin() as connection:
            connection.execute(PUBLISHED, {"position": published})
        return tick(instance, cursor)

    late = look_with(3, first.cursor)
    assert isinstance(late, dg.SensorResult)
    later_still = look_with(4, late.cursor)
    arrived = look_with(0, late.cursor)

    assert evaluations(first)["events_arrive"].passed
    assert not evaluations(late)["events_arrive"].passed
    assert isinstance(later_still, dg.SkipReason)
    assert evaluations(arrived)["events_arrive"].passed


@pytest.mark.usefixtures("few_checks")
def test_a_record_in_quarantine_is_told_at_once_and_so_is_its_end(
    instance: dg.DagsterInstance, lake: duckdb.DuckDBPyConnection
) -> None:
    first = first_round(instance)
    assert evaluations(first)["no_record_waits"].passed

    lake.execute(QUARANTINED.format(position="null"))
    stray = tick(instance, first.cursor)
    lake.execute(QUARANTINED.format(position=7))
    waiting = tick(instance, first.cursor)
    assert isinstance(waiting, dg.SensorResult)
    assert isinstance(tick(instance, waiting.cursor), dg.SkipReason)
    lake.execute("update lake.raw.quarantine set settled_as = 'discarded'")
    settled = tick(instance, waiting.cursor)
    now = read_epochs(lake)

    warning = evaluations(stray)["no_record_waits"]
    assert not warning.passed
    assert warning.severity == dg.AssetCheckSeverity.WARN
    assert "0 waiting, 1 unconfirmed: `ates quarantine list`" in str(warning.description)
    assert evaluations(stray)["quarantine_is_settled"].passed
    assert evaluations(waiting)["no_record_waits"].metadata["waiting"].value == 1
    assert not evaluations(waiting)["quarantine_is_settled"].passed
    assert all(each.passed for each in evaluations(settled).values())
    assert now != msgspec.json.decode(str(first.cursor), type=Cursor).epochs, "a round is due"


def test_a_lake_too_large_for_a_tick_is_checked_by_a_run_from_then_on(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise TookTooLongError("interrupted")

    monkeypatch.setattr(sensors, "_look_around", interrupted)

    first = first_round(instance)
    second = tick(instance, later(first.cursor, 4_000))

    for result in (first, second):
        assert isinstance(result, dg.SensorResult)
        assert result.run_requests is not None
        assert len(result.run_requests) == 1


def test_a_person_may_execute_any_check(instance: dg.DagsterInstance) -> None:
    chosen = dg.AssetSelection.checks(
        dg.AssetCheckKey(dg.AssetKey(["ledger", "postings"]), "ledger_sums_to_zero"),
        dg.AssetCheckKey(dg.AssetKey(["raw", "events"]), "events_arrive"),
    )
    job = dg.define_asset_job("chosen", selection=chosen)

    result = (
        dg.Definitions(asset_checks=[verify_lake], jobs=[job])
        .resolve_job_def("chosen")
        .execute_in_process(instance=instance)
    )

    assert {each.check_name for each in result.get_asset_check_evaluations()} == {
        "ledger_sums_to_zero",
        "events_arrive",
    }


def test_a_cell_cannot_break_out_of_its_table() -> None:
    assert markdown_table(["a"], [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |"
