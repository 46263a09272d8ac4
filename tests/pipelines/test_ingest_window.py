"""The ingest sensor: a window of real records, one report per table touched, and a heartbeat."""

import json
from collections.abc import Iterator
from time import time

import dagster as dg
import pytest
import sqlalchemy as sa

from ates.embedded.kafka import KafkaServer
from pipelines.defs.ingest import sensors
from pipelines.defs.ingest.sensors import ingest_window
from tests.ops_api.relays import RelayWorld
from tests.pipelines.ingest_world import IngestWorld
from tests.warehouse.world import World
from warehouse import upkeep


@pytest.fixture
def world(
    environment: dict[str, str],
    database_url: str,
    kafka_server: KafkaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[IngestWorld]:
    """A company whose events are published; the sensor finds its settings in the environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sensors, "WINDOW_SECONDS", 4.0)
    tracker = sa.create_engine(database_url)
    company = World()
    company.hire(4)
    yield IngestWorld(RelayWorld(tracker, environment, kafka_server), company)
    sensors.PARTS.close()
    tracker.dispose()


def tick(cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    with dg.DagsterInstance.ephemeral() as instance:
        result = ingest_window(dg.build_sensor_context(instance=instance, cursor=cursor))
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def shown(result: dg.SensorResult | dg.SkipReason) -> dict[str, dict[str, object]]:
    """What the sensor reports, by asset."""
    assert isinstance(result, dg.SensorResult)
    found = {}
    for event in result.asset_events:
        if not isinstance(event, dg.AssetMaterialization):
            continue
        found[event.asset_key.to_user_string()] = {
            name: value.value for name, value in event.metadata.items()
        }
    return found


def test_a_window_reports_once_for_every_table_it_touched_and_for_its_upkeep(
    world: IngestWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "COMMITS_BETWEEN_SWEEPS", 1)
    world.company.work(60)
    world.publish()

    result = tick()

    tables = shown(result)
    assert tables["raw/events"]["events"] == world.count_committed
    assert tables["raw/events"]["position"] == world.count_committed
    assert tables["raw/events"]["events_behind"] == 0
    assert tables["marts/employee_versions"]["events"] == 4
    assert {"ledger/postings", "ledger/account_days", "marts/tasks_created"} < tables.keys()
    assert "raw/quarantine" not in tables
    assert tables["ops/lake_upkeep"]["sweeps"] == tables["raw/events"]["batches"]
    assert tables["ops/lake_upkeep"]["rounds"] == tables["ops/lake_upkeep"]["cut_short"] == 0
    assert isinstance(result, dg.SensorResult)
    cursor = json.loads(str(result.cursor))
    assert sum(cursor["offsets"].values()) == world.count_committed


def test_a_window_says_that_events_arrive_none_waits_and_the_ledger_sums_to_zero(
    world: IngestWorld,
) -> None:
    world.company.work(5)
    world.publish()

    result = tick()

    assert isinstance(result, dg.SensorResult)
    checks = [event for event in result.asset_events if isinstance(event, dg.AssetCheckEvaluation)]
    assert {check.check_name: check.passed for check in checks} == {
        "events_arrive": True,
        "ledger_sums_to_zero": True,
        "quarantine_is_settled": True,
    }
    assert shown(result)["raw/events"]["dagster/row_count"] == world.count_committed


def test_a_quiet_window_is_silent_until_the_heartbeat_is_due(world: IngestWorld) -> None:
    world.publish()
    first = tick()
    assert isinstance(first, dg.SensorResult)

    quiet = tick(str(first.cursor))
    long_ago = json.dumps({"offsets": {}, "shown_at": time() - 60})
    beat = tick(long_ago)

    assert isinstance(quiet, dg.SkipReason)
    assert f"position {world.count_committed}" in str(quiet.skip_message)
    assert shown(beat).keys() == {"raw/events"}
    assert shown(beat)["raw/events"]["events"] == 0


def test_a_tick_that_failed_leaves_nothing_behind_that_the_next_would_trip_over(
    world: IngestWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish()
    with monkeypatch.context() as patch:
        patch.setenv("LAKE_CATALOG_URL", "postgresql+psycopg2://nobody@127.0.0.1:1/none")
        with pytest.raises(Exception, match="lake"):
            tick()

    assert shown(tick())["raw/events"]["events"] == world.count_committed
