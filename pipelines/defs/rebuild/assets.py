"""A second lake, built from the event log and compared with the first: determinism, proven."""

import datetime as dt
import tempfile
from pathlib import Path

import dagster as dg
from sqlalchemy import create_engine

from contracts.environment import read_environment
from pipelines.graph import DAILY_FRESHNESS, DATA_TEAM
from pipelines.ingest.healing import read_event_log
from pipelines.settings import IngestSettings
from warehouse.lake import connect
from warehouse.lake_tables import FOLLOWING_FROM_THE_LOG
from warehouse.rebuild import Rebuild, RebuildError, Span, rebuild
from warehouse.settings import LakeSettings

PROOF = dg.AssetKey(["ops", "rebuild_proof"])
# Tables that are part of another asset.
NO_ASSETS = {"ledger.paid_days", "ops.ingest_state", "ops.payout_state"}
IS_IDENTICAL = "rebuilt_lake_is_identical"


class RebuildConfig(dg.Config):
    """The span of certified days to prove, as ISO dates; both empty: the whole history.

    `last_days` instead: so many days up to the newest certified one.
    """

    first: str = ""
    last: str = ""
    last_days: int = 0


@dg.asset(
    key=PROOF,
    group_name="ops",
    kinds={"duckdb"},
    owners=DATA_TEAM,
    freshness_policy=DAILY_FRESHNESS,
    deps=[
        dg.AssetKey([each.schema, each.name])
        for each in FOLLOWING_FROM_THE_LOG
        if each.full_name not in NO_ASSETS
    ],
    check_specs=[
        dg.AssetCheckSpec(
            IS_IDENTICAL,
            asset=PROOF,
            description="Every table of a lake built anew from the event log says the same.",
        )
    ],
    description=(
        "A temporary second lake, built from the event log by the same code and compared table by "
        "table with the first, at one snapshot and beside the writer. Nothing is ever swapped from "
        "here: `ates rebuild --swap` does that when somebody asks for it."
    ),
)
def rebuild_proof(context: dg.AssetExecutionContext, config: RebuildConfig) -> dg.MaterializeResult:  # type: ignore[type-arg] # dagster reads it
    """Build, compare, report; a difference is a failed check, not a failed run."""
    settings = read_environment(LakeSettings)
    tracker = create_engine(read_environment(IngestSettings).database_url, pool_size=1)
    try:
        span = _span(config, settings)
        with tempfile.TemporaryDirectory(prefix="ates-rebuild-") as folder:
            result = rebuild(settings, read_event_log(tracker), Path(folder), span=span)
    except RebuildError as error:
        raise dg.Failure(str(error)) from error
    finally:
        tracker.dispose()
    context.log.info(f"compared up to position {result.through}: identical={result.is_identical}")
    return dg.MaterializeResult(
        metadata=_metadata(result, span),
        check_results=[
            dg.AssetCheckResult(
                check_name=IS_IDENTICAL,
                passed=result.is_identical,
                metadata={"tables": dg.MetadataValue.md(_table(result))},
            )
        ],
    )


def _span(config: RebuildConfig, settings: LakeSettings) -> Span | None:
    if config.last_days > 0:
        return _last_days(settings, config.last_days)
    if not config.first and not config.last:
        return None
    try:
        span = Span(dt.date.fromisoformat(config.first), dt.date.fromisoformat(config.last))
    except ValueError as error:
        raise dg.Failure(f"first and last are ISO dates: {error}", allow_retries=False) from error
    if span.last < span.first:
        raise dg.Failure("first comes after last", allow_retries=False)
    return span


def _last_days(settings: LakeSettings, count: int) -> Span | None:
    """The newest certified days; the whole (short) history when there are not so many."""
    with connect(settings, read_only=True) as lake:
        row = lake.execute(
            "select min(business_date), max(business_date) from ledger.certificates"
        ).fetchone()
    if row is None or row[1] is None:
        return None
    first = row[1] - dt.timedelta(days=count - 1)
    return Span(first, row[1]) if first > row[0] else None


def _metadata(result: Rebuild, span: Span | None) -> dict[str, dg.MetadataValue]:
    return {
        "span": dg.MetadataValue.text(f"{span.first} to {span.last}" if span else "whole history"),
        "position": dg.MetadataValue.int(result.through),
        "tables": dg.MetadataValue.int(len(result.comparisons)),
        "differing_tables": dg.MetadataValue.int(
            sum(not each.is_identical for each in result.comparisons)
        ),
        "comparison": dg.MetadataValue.md(_table(result)),
    }


def _table(result: Rebuild) -> str:
    lines = ["| table | rows | only in the lake | only in the rebuilt one |", "|---|---|---|---|"]
    lines += [
        f"| {each.table} | {each.count_rows:,} | {each.count_missing:,} | {each.count_surplus:,} |"
        for each in result.comparisons
    ]
    return "\n".join(lines)
