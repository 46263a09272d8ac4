"""What one window shows in the catalog: a row a table it touched, and the checks it can afford."""

import datetime as dt
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
from sqlalchemy import Engine

from pipelines.defs.checks.checks import (
    WINDOW_INVARIANTS,
    evaluation_of_finding,
    evaluation_of_outcome,
)
from pipelines.graph import LAKE_UPKEEP, asset_key
from pipelines.standing import read_arrival
from pipelines.verification import run_window_checks
from warehouse.catalog import count_rows

if TYPE_CHECKING:
    from pipelines.ingest.engine import WindowReport
    from warehouse.upkeep import UpkeepReport

RAW_EVENTS = "raw.events"
QUARANTINE = "raw.quarantine"
# Which tables an event adds to, besides the raw events.
TABLES_OF_TYPE = {
    "employee.registered": ("marts.employee_versions",),
    "employee.changed": ("marts.employee_versions",),
    "task.created": ("marts.tasks_created", "marts.task_days", "marts.unfinished_tasks"),
    "task.assigned": ("ledger.postings", "ledger.account_days", "marts.task_days"),
    "task.completed": (
        "ledger.postings",
        "ledger.account_days",
        "marts.dearest_tasks",
        "marts.task_days",
        "marts.unfinished_tasks",
    ),
    "business_day.closed": ("ledger.certificates",),
}

AssetEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation


def events_of_window(
    report: "WindowReport", lake: duckdb.DuckDBPyConnection, tracker: Engine
) -> list[AssetEvent]:
    """One materialization a table that was touched, the raw events always; then the checks."""
    events: list[AssetEvent] = []
    for name, metadata in _touched(report).items():
        metadata["dagster/row_count"] = dg.MetadataValue.int(count_rows(lake, name))
        events.append(dg.AssetMaterialization(asset_key(name), metadata=metadata))
    if report.upkeep:
        metadata = _upkeep_metadata(report.upkeep)
        events.append(dg.AssetMaterialization(asset_key(LAKE_UPKEEP), metadata=metadata))
    published = report.published_position or report.contiguous_position
    arrival = read_arrival(tracker, report.contiguous_position, published, dt.datetime.now(dt.UTC))
    events.append(evaluation_of_outcome(arrival))
    if report.count_batches:
        findings = run_window_checks(lake, WINDOW_INVARIANTS)
        events += [evaluation_of_finding(finding) for finding in findings]
    return events


def _touched(report: "WindowReport") -> dict[str, dict[str, dg.MetadataValue]]:
    found: dict[str, dict[str, dg.MetadataValue]] = {RAW_EVENTS: _metadata(report)}
    if report.count_quarantined:
        found[QUARANTINE] = {"records": dg.MetadataValue.int(report.count_quarantined)}
    counts: dict[str, int] = {}
    for event_type, count in report.counts_by_type.items():
        for name in TABLES_OF_TYPE.get(event_type, ()):
            counts[name] = counts.get(name, 0) + count
    lag = dg.MetadataValue.float(round(report.lag_seconds_max, 3))
    for name, count in counts.items():
        found[name] = {"events": dg.MetadataValue.int(count), "lag_seconds_max": lag}
    return found


def _upkeep_metadata(done: "list[UpkeepReport]") -> dict[str, dg.MetadataValue]:
    counts = {
        "sweeps": sum(not each.is_round for each in done),
        "rounds": sum(each.is_round for each in done),
        "cut_short": sum(each.is_cut_short for each in done),
        "merged_files": sum(each.count_merged_files for each in done),
        "deleted_files": sum(each.count_deleted_files for each in done),
    }
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(count) for name, count in counts.items()
    }
    metadata["seconds"] = dg.MetadataValue.float(round(sum(each.seconds for each in done), 3))
    return metadata


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
