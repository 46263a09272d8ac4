"""The ingest window: one tick takes in events for 24 seconds, then reports what it did, once.

The loop itself is `pipelines.ingest.engine`. Switched off, ingest pauses; on again, it catches up.
"""

import json
from contextlib import AbstractContextManager
from time import time
from typing import TYPE_CHECKING

import dagster as dg

from contracts.environment import read_environment
from pipelines.dagster_instance import is_stop_requested
from pipelines.settings import IngestSettings, KafkaSettings
from pipelines.shared import Shared
from warehouse.settings import LakeSettings

if TYPE_CHECKING:
    from pipelines.ingest.engine import WindowReport
    from pipelines.ingest.service import Parts

# Ticks begin at multiples of five seconds: a little less than 25 loses no turn.
WINDOW_SECONDS = 24.0
INTERVAL_SECONDS = 1
# On a quiet night the raw events still say "looked at", so that they do not count as stale.
HEARTBEAT_SECONDS = 45.0

RAW_EVENTS = dg.AssetKey(["raw", "events"])
QUARANTINE = dg.AssetKey(["raw", "quarantine"])
POSTINGS = dg.AssetKey(["ledger", "postings"])
ACCOUNT_DAYS = dg.AssetKey(["ledger", "account_days"])
CERTIFICATES = dg.AssetKey(["ledger", "certificates"])
EMPLOYEE_VERSIONS = dg.AssetKey(["marts", "employee_versions"])
TASKS_CREATED = dg.AssetKey(["marts", "tasks_created"])
DEAREST_TASKS = dg.AssetKey(["marts", "dearest_tasks"])
TASK_DAYS = dg.AssetKey(["marts", "task_days"])
UNFINISHED_TASKS = dg.AssetKey(["marts", "unfinished_tasks"])
# Which tables an event adds to, besides the raw events.
TABLES_OF_TYPE = {
    "employee.registered": (EMPLOYEE_VERSIONS,),
    "employee.changed": (EMPLOYEE_VERSIONS,),
    "task.created": (TASKS_CREATED, TASK_DAYS, UNFINISHED_TASKS),
    "task.assigned": (POSTINGS, ACCOUNT_DAYS, TASK_DAYS),
    "task.completed": (POSTINGS, ACCOUNT_DAYS, DEAREST_TASKS, TASK_DAYS, UNFINISHED_TASKS),
    "business_day.closed": (CERTIFICATES,),
}


def _open() -> AbstractContextManager["Parts"]:
    # Imported here because a payout run loads this module, too, and needs no Kafka client.
    from pipelines.ingest.service import open_parts

    return open_parts(
        read_environment(KafkaSettings),
        read_environment(LakeSettings),
        read_environment(IngestSettings).database_url,
    )


PARTS = Shared(_open)


@dg.sensor(
    name="ingest_window",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes events from Kafka into the lake; off, ingest pauses.",
)
def ingest_window(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One window; its cursor is the offsets, for people to read, and when a row was last shown."""
    from pipelines.ingest.engine import run_window

    with PARTS.use() as parts:
        report = run_window(*parts, window_seconds=WINDOW_SECONDS, should_stop=is_stop_requested)
    is_quiet = not report.count_batches
    shown_at = _shown_at(context.cursor)
    if is_quiet and time() - shown_at < HEARTBEAT_SECONDS:
        return dg.SkipReason(f"no event arrived; position {report.contiguous_position}")
    return dg.SensorResult(
        asset_events=[
            dg.AssetMaterialization(key, metadata=metadata)
            for key, metadata in _materializations(report).items()
        ],
        cursor=_cursor(report, time()),
    )


def _materializations(
    report: "WindowReport",
) -> dict[dg.AssetKey, dict[str, dg.MetadataValue]]:
    """One per table that was touched; the raw events always, with everything there is to say."""
    found: dict[dg.AssetKey, dict[str, dg.MetadataValue]] = {RAW_EVENTS: _metadata(report)}
    if report.count_quarantined:
        found[QUARANTINE] = {"records": dg.MetadataValue.int(report.count_quarantined)}
    counts: dict[dg.AssetKey, int] = {}
    for event_type, count in report.counts_by_type.items():
        for key in TABLES_OF_TYPE.get(event_type, ()):
            counts[key] = counts.get(key, 0) + count
    for key, count in counts.items():
        found[key] = {"events": dg.MetadataValue.int(count)}
    return found


def _metadata(report: "WindowReport") -> dict[str, dg.MetadataValue]:
    behind = (report.published_position or report.contiguous_position) - report.contiguous_position
    counts = {
        "events": report.count_events,
        "batches": report.count_batches,
        "duplicates": report.count_duplicates,
        "quarantined": report.count_quarantined,
        "healed": report.count_healed,
        "rivals": report.count_rivals,
        "position": report.contiguous_position,
        "events_behind": max(behind, 0),
    }
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(count) for name, count in counts.items()
    }
    metadata["lag_seconds_max"] = dg.MetadataValue.float(round(report.lag_seconds_max, 3))
    return metadata


def _cursor(report: "WindowReport", now_seconds: float) -> str:
    offsets = {f"{topic}/{number}": offset for (topic, number), offset in report.offsets.items()}
    return json.dumps({"offsets": offsets, "shown_at": round(now_seconds, 1)})


def _shown_at(cursor: str | None) -> float:
    return float(json.loads(cursor)["shown_at"]) if cursor else 0.0
