"""Rounds over the lake without a run: every check, and how many rows each table has.

A round follows a change, but not the last round closely; on a quiet night there is one an hour.
Whether yesterday is paid, whether events arrive and whether a record waits in quarantine is looked
at every minute: that changes with the clock alone (ingest may be switched off, and says nothing
then), or with what a person does about it.
"""

import datetime as dt
from contextlib import AbstractContextManager
from time import monotonic, time

import dagster as dg
import duckdb
import msgspec
from sqlalchemy import Engine

from contracts.environment import read_environment
from pipelines.dagster_instance import is_stop_requested
from pipelines.defs.checks.checks import (
    INVARIANTS,
    WINDOW_INVARIANTS,
    evaluation_of_finding,
    evaluation_of_outcome,
    markdown_table,
)
from pipelines.defs.checks.jobs import verify_lake_job
from pipelines.expectations import EVENTS_ARRIVE, Outcome
from pipelines.graph import LOOKED_AT_EVERY, PREVIEWS, asset_key
from pipelines.lakes import open_reader
from pipelines.settings import BusinessSettings, IngestSettings
from pipelines.shared import Shared
from pipelines.standing import read_all
from pipelines.trackers import open_tracker
from pipelines.verification import (
    Epochs,
    Round,
    TookTooLongError,
    look_around,
    read_epochs,
    read_preview,
    run_window_checks,
)
from warehouse.catalog import read_tables
from warehouse.settings import LakeSettings

LOOK_SECONDS = 60
PAUSE_SECONDS = 300.0
# What follows a start (catching up, payouts, mail) goes first: a round would take a core from it.
SETTLING_SECONDS = 45.0
STARTED_AT = monotonic()
# A tick may last 60 seconds. A lake that takes longer is checked by a run instead.
ROUND_SECONDS_MAX = 45.0
PREVIEW_ROWS = 10
# Told by others when they change: the ingest window, and runs.
TOLD_BY_OTHERS = {"raw.events", "ledger.payouts"}
QUARANTINE_INVARIANTS = [check for check in WINDOW_INVARIANTS if check.asset == "raw.quarantine"]


class Cursor(msgspec.Struct, frozen=True):
    """What the last round saw, when it was, and whether a tick is too short for one.

    `told` is what was last told of each expectation that every look judges.
    """

    epochs: Epochs | None = None
    looked_at: float = 0.0
    told: dict[str, str] = {}
    is_too_slow: bool = False


def _open() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return open_reader(read_environment(LakeSettings))


def _open_tracker() -> AbstractContextManager[Engine]:
    return open_tracker(read_environment(IngestSettings).database_url)


LAKE = Shared(_open)
TRACKER = Shared(_open_tracker)


@dg.sensor(
    name="verify_lake_round",
    job=verify_lake_job,
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Evaluates every check after changes, and at least once an hour.",
)
def verify_lake_round(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One look, and a round when one is due."""
    if is_stop_requested():
        return dg.SkipReason("everything is being stopped")
    before = msgspec.json.decode(context.cursor, type=Cursor) if context.cursor else Cursor()
    with LAKE.use() as lake:
        epochs = read_epochs(lake)
        outcomes = _judge(lake)
        told = {outcome.name: _told(outcome) for outcome in outcomes}
        events = [evaluation_of_outcome(outcome) for outcome in outcomes]
        if not _is_due(before, epochs, time()):
            if told == before.told:
                return dg.SkipReason("nothing has changed since the last round")
            events += _look_at_quarantine(lake)
            cursor = msgspec.structs.replace(before, told=told)
            return dg.SensorResult(asset_events=events, cursor=_encoded(cursor))
        previews = {name: _preview(lake, name) for name in PREVIEWS}
    cursor = Cursor(epochs, time(), told, before.is_too_slow)
    if before.is_too_slow:
        return _ask_for_a_run(cursor)
    try:
        found = _look_around()
    except TookTooLongError:
        return _ask_for_a_run(msgspec.structs.replace(cursor, is_too_slow=True))
    events += [evaluation_of_finding(finding) for finding in found.findings]
    return dg.SensorResult(
        asset_events=[*events, *_tables(found, previews)], cursor=_encoded(cursor)
    )


def _judge(lake: duckdb.DuckDBPyConnection) -> list[Outcome]:
    zone = read_environment(BusinessSettings).zone
    with TRACKER.use() as tracker:
        return read_all(lake, tracker, zone, dt.datetime.now(dt.UTC))


def _told(outcome: Outcome) -> str:
    """What must differ to be told again: how many events are on their way differs every time."""
    return str(outcome.is_met) if outcome.name == EVENTS_ARRIVE else outcome.sentence


def _look_at_quarantine(lake: duckdb.DuckDBPyConnection) -> list[dg.AssetCheckEvaluation]:
    findings = run_window_checks(lake, QUARANTINE_INVARIANTS)
    return [evaluation_of_finding(finding) for finding in findings]


def _is_due(before: Cursor, epochs: Epochs, now_seconds: float) -> bool:
    if monotonic() - STARTED_AT < SETTLING_SECONDS:
        return False
    quiet_seconds = now_seconds - before.looked_at
    has_changed = epochs != before.epochs
    return quiet_seconds >= (PAUSE_SECONDS if has_changed else LOOKED_AT_EVERY.total_seconds())


def _look_around() -> Round:
    return look_around(
        read_environment(LakeSettings),
        read_environment(IngestSettings).database_url,
        list(INVARIANTS.values()),
        seconds_max=ROUND_SECONDS_MAX,
    )


def _ask_for_a_run(cursor: Cursor) -> dg.SensorResult:
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=_encoded(cursor))


def _tables(found: Round, previews: dict[str, str]) -> list[dg.AssetMaterialization]:
    events = []
    for name in read_tables():
        if name in TOLD_BY_OTHERS:
            continue
        metadata: dict[str, dg.MetadataValue] = {
            "dagster/row_count": dg.MetadataValue.int(found.row_counts[name]),
            "complete_to_position": dg.MetadataValue.int(found.scope.through),
        }
        if name in previews:
            metadata["preview"] = dg.MetadataValue.md(previews[name])
        events.append(dg.AssetMaterialization(asset_key(name), metadata=metadata))
    return events


def _preview(lake: duckdb.DuckDBPyConnection, name: str) -> str:
    return markdown_table(*read_preview(lake, name, PREVIEWS[name], PREVIEW_ROWS))


def _encoded(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
