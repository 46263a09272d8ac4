"""From the topic to the ledger, once, whatever dies on the way."""

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from ates.embedded.kafka import KafkaServer
from pipelines.ingest import engine
from pipelines.ingest.engine import BusyError, WindowReport, run_window
from tests.figures import figure, growth
from tests.ops_api.relays import RelayWorld
from tests.pipelines.ingest_world import IngestWorld, assert_books_agree, wait_for_position
from tests.pipelines.test_kafka_source import send
from tests.warehouse.world import World
from warehouse.lake import connect
from warehouse.settings import LakeSettings

STALL_SECONDS = 0.5
# The first two grow when all is well, the others do not.
INGEST_FIGURES = (
    "ates_ingest_batch_duration_seconds_count",
    "ates_ingest_lag_seconds_count",
    "ates_ingest_quarantined_total",
    "ates_ingest_window_failures_total",
)
PATIENCE_SECONDS = 60.0


@pytest.fixture
def lake(lake_settings: LakeSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = connect(lake_settings)
    yield connection
    connection.close()


@pytest.fixture
def ingest_world(
    environment: dict[str, str], database_url: str, kafka_server: KafkaServer
) -> Iterator[IngestWorld]:
    tracker = sa.create_engine(database_url)
    company = World()
    company.hire(4)
    yield IngestWorld(RelayWorld(tracker, environment, kafka_server), company)
    tracker.dispose()


def ingest_until(
    world: IngestWorld, lake: duckdb.DuckDBPyConnection, position: int, **options: Any
) -> WindowReport:
    """One window that ends when the lake has everything up to a position."""
    source = world.source()
    eye = lake.cursor()
    eye.execute("use lake")

    def is_done() -> bool:
        return eye.execute("select contiguous_position from ops.ingest_state").fetchone() == (
            position,
        )

    options = {"tracker_engine": world.tracker, "stall_seconds": 30.0} | options
    try:
        report = run_window(
            source,
            lake,
            window_seconds=PATIENCE_SECONDS,
            linger_seconds=0.1,
            should_stop=is_done,
            **options,
        )
    finally:
        source.close()
    assert report.contiguous_position == position
    return report


def test_what_is_published_is_in_the_ledger_after_a_window(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection, caplog: pytest.LogCaptureFixture
) -> None:
    ingest_world.company.work(100)
    ingest_world.publish()
    tasks = figure("ates_ingest_events_total", type="task.created")

    with growth(*INGEST_FIGURES) as grown, caplog.at_level(logging.INFO, "ates.ingest"):
        report = ingest_until(ingest_world, lake, ingest_world.count_committed)

    assert report.count_events == ingest_world.count_committed
    created = figure("ates_ingest_events_total", type="task.created") - tasks
    assert created == report.counts_by_type["task.created"] > 0
    assert figure("ates_ingest_contiguous_position") == ingest_world.count_committed
    assert time.time() - figure("ates_ingest_last_turn_timestamp_seconds") < PATIENCE_SECONDS
    assert [grown[name] > 0 for name in INGEST_FIGURES] == [True, True, False, False]
    span = f"event=ingested first_position=1 last_position={ingest_world.count_committed} events="
    assert any(each.startswith(span) for each in caplog.messages)
    assert (report.count_duplicates, report.count_quarantined, report.count_healed) == (0, 0, 0)
    assert sum(report.offsets.values()) == ingest_world.count_committed
    assert_books_agree(lake, ingest_world.company)


def test_the_next_window_goes_on_where_the_lake_is(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection
) -> None:
    for _ in range(2):
        ingest_world.company.work(20)
        ingest_world.publish()
        report = ingest_until(ingest_world, lake, ingest_world.count_committed)
        assert report.count_duplicates == 0

    assert_books_agree(lake, ingest_world.company)


def test_events_the_broker_lost_are_taken_from_the_log(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection
) -> None:
    ingest_world.company.work(20)
    ingest_world.publish()
    count_kept = ingest_world.count_committed
    ingest_world.company.work(20)
    ingest_world.commit()
    ingest_world.number()
    with ingest_world.tracker.begin() as connection:  # as if published, to a broker that forgot
        connection.execute(
            sa.text(
                "update publications set published_position = (select last_position from log_head)"
            )
        )
    count_lost = ingest_world.count_committed - count_kept

    with growth("ates_ingest_healed_total") as grown:
        report = ingest_until(
            ingest_world, lake, ingest_world.count_committed, stall_seconds=STALL_SECONDS
        )

    assert report.count_healed == grown["ates_ingest_healed_total"] == count_lost
    assert figure("ates_ingest_events_behind") == 0
    assert_books_agree(lake, ingest_world.company)


def test_what_was_not_published_yet_is_not_healed(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection
) -> None:
    ingest_world.company.work(10)
    ingest_world.commit()
    ingest_world.number()
    source = ingest_world.source()

    report = run_window(
        source,
        lake,
        ingest_world.tracker,
        window_seconds=3.0,
        linger_seconds=0.1,
        stall_seconds=STALL_SECONDS,
    )
    source.close()

    assert (report.count_events, report.contiguous_position) == (0, 0)


def test_a_broken_record_in_the_topic_stops_nothing(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection, kafka_server: KafkaServer
) -> None:
    ingest_world.company.work(5)
    ingest_world.publish()
    topic = ingest_world.relays.environment["KAFKA_TOPIC_PREFIX"] + "tasks"
    for value in (b"junk", b"x" * 5_000_000, None):
        send(kafka_server, topic, value, headers=[("position", b"100000")])
    ingest_world.company.work(5)
    ingest_world.publish()

    report = ingest_until(ingest_world, lake, ingest_world.count_committed)

    assert report.count_quarantined == 3
    assert_books_agree(lake, ingest_world.company)


def test_ingest_goes_on_without_the_trackers_database(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection
) -> None:
    ingest_world.company.work(10)
    ingest_world.publish()
    nobody = sa.create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")

    ingest_until(ingest_world, lake, ingest_world.count_committed, tracker_engine=nobody)

    assert_books_agree(lake, ingest_world.company)


def test_two_threads_cannot_be_in_a_window_at_once(
    ingest_world: IngestWorld,
    lake: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "LOCK_SECONDS_MAX", 0.2)
    source = ingest_world.source()
    stop = threading.Event()
    options = {"linger_seconds": 0.1, "should_stop": stop.is_set}
    first = threading.Thread(
        target=run_window, args=(source, lake, ingest_world.tracker), kwargs=options
    )
    first.start()
    try:
        time.sleep(0.5)
        with pytest.raises(BusyError):
            run_window(source, lake, ingest_world.tracker)
    finally:
        stop.set()
        first.join()
        source.close()


def test_an_ingester_steps_back_from_a_rival_and_goes_on_when_it_is_quiet(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection, lake_settings: LakeSettings
) -> None:
    ingest_world.company.work(10)
    ingest_world.publish()
    rival = connect(lake_settings)
    original = engine.apply_batch
    calls = 0

    def with_a_rival(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            rival.execute("update ops.ingest_state set epoch = epoch + 1")
        return original(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "apply_batch", with_a_rival)
        report = ingest_until(ingest_world, lake, ingest_world.count_committed)
    rival.close()

    assert report.count_rivals == 1
    assert_books_agree(lake, ingest_world.company)


@pytest.mark.faults
def test_killed_at_any_step_an_ingester_loses_and_doubles_nothing(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection
) -> None:
    for step in ("after-poll", "after-stage", "after-models", "before-commit", "after-commit"):
        ingest_world.company.work(10)
        ingest_world.publish()
        with ingest_world.ingester(crash_at=step) as process:
            assert process.wait(PATIENCE_SECONDS) == -9, step

    with ingest_world.ingester():
        wait_for_position(lake, ingest_world.count_committed)

    assert_books_agree(lake, ingest_world.company)


@pytest.mark.faults
def test_two_ingesters_at_once_bring_every_event_once(
    ingest_world: IngestWorld, lake: duckdb.DuckDBPyConnection
) -> None:
    with ingest_world.ingester() as first, ingest_world.ingester() as second:
        for _ in range(8):
            ingest_world.company.work(10)
            ingest_world.publish()
        wait_for_position(lake, ingest_world.count_committed)
        first.kill()
        ingest_world.company.work(10)
        ingest_world.publish()
        wait_for_position(lake, ingest_world.count_committed)
        assert second.poll() is None

    assert_books_agree(lake, ingest_world.company)
