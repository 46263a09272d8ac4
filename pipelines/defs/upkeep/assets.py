"""Upkeep as nodes of the graph: the lake's, which ingest does on its way, and Dagster's own."""

import datetime as dt

import dagster as dg
from sqlalchemy import create_engine

from contracts.environment import read_environment
from pipelines import graph
from pipelines.graph import DATA_TEAM, LAKE_UPKEEP, asset_key
from pipelines.retention import forget_old
from pipelines.settings import RetentionSettings

DAGSTER_HISTORY = asset_key("ops.dagster_history")
STATEMENT_TIMEOUT_MS = 120_000


@dg.asset(
    key=DAGSTER_HISTORY,
    group_name="ops",
    kinds={"postgres"},
    owners=DATA_TEAM,
    freshness_policy=graph.DAILY_FRESHNESS,
    description=(
        "Dagster's own events, evaluations of checks and runs, without those older than "
        "DAGSTER_KEPT_DAYS. The newest of every asset, partition and check stay."
    ),
)
def dagster_history() -> dg.MaterializeResult[None]:
    """Forget what is old and say how much it was."""
    settings = read_environment(RetentionSettings)
    engine = create_engine(
        settings.dagster_database_url,
        pool_size=1,
        max_overflow=0,
        connect_args={"options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"},
    )
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=settings.dagster_kept_days)
    try:
        forgotten = forget_old(engine, before=before)
    finally:
        engine.dispose()
    return dg.MaterializeResult(
        metadata={
            "older_than": dg.MetadataValue.timestamp(before),
            "events": dg.MetadataValue.int(forgotten.count_events),
            "check_evaluations": dg.MetadataValue.int(forgotten.count_checks),
            "runs": dg.MetadataValue.int(forgotten.count_runs),
            "database_megabytes": dg.MetadataValue.float(forgotten.database_bytes / 1e6),
        }
    )


@dg.definitions
def upkeep_assets() -> dg.Definitions:
    """Both: the lake's is told by the ingest window that did it, the other has a run."""
    lake_upkeep = dg.AssetSpec(
        key=asset_key(LAKE_UPKEEP),
        group_name="ops",
        kinds={"duckdb"},
        owners=DATA_TEAM,
        description=(
            "Files merged, sums folded, snapshots forgotten, orphans of crashes deleted. The "
            "sensor `ingest_window` does it between two of its batches, where no other writer "
            "is met, and tells here what it did; there is no run for it."
        ),
        deps=[asset_key("raw.events")],
    )
    return dg.Definitions(assets=[lake_upkeep, dagster_history])
