"""Every table and view of the lake that no run makes: the ingest window and others fill them."""

import datetime as dt

import dagster as dg

from pipelines.graph import PAYOUTS, TABLE_FRESHNESS, table_spec
from warehouse.catalog import read_tables

RAW_EVENTS = "raw.events"
# Made by a run: defined where that run is.
MADE_BY_RUNS = {PAYOUTS}
# The ingest window looks in every minute even when nothing happens.
RAW_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=dt.timedelta(minutes=5), warn_window=dt.timedelta(minutes=3)
)


@dg.definitions
def lake_assets() -> dg.Definitions:
    """One asset a table, described by the table's own SQL."""
    return dg.Definitions(
        assets=[
            table_spec(name, RAW_FRESHNESS if name == RAW_EVENTS else TABLE_FRESHNESS)
            for name in read_tables()
            if name not in MADE_BY_RUNS
        ]
    )
