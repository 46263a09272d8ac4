"""How the tables and topics hang together, and how Dagster describes them; no definition itself.

A table's description and columns are read from its own SQL (`warehouse.catalog`), and so is what a
view selects from. Only who fills a table from what stands here. Keys are schema and table.
"""

import datetime as dt
from collections.abc import Mapping

import dagster as dg

from warehouse.catalog import Table, read_tables

TRACKER_TEAM = ["team:tracker"]
DATA_TEAM = ["team:data"]
MANAGEMENT_TEAM = ["team:management"]

EVENT_LOG = "tracker.event_log"
BUSINESS_DAYS = "tracker.business_days"
PAYOUTS = "ledger.payouts"
LAKE_UPKEEP = "ops.lake_upkeep"
TOPICS = ("kafka.employees", "kafka.tasks", "kafka.business_days")
# What each table is filled from; a view says so itself.
FILLED_FROM: Mapping[str, tuple[str, ...]] = {
    "raw.events": TOPICS,
    "raw.quarantine": TOPICS,
    "ledger.postings": ("raw.events",),
    "ledger.account_days": ("ledger.postings",),
    "ledger.certificates": ("raw.events",),
    "ledger.payouts": ("ledger.certificates", "ledger.account_days", "ledger.postings"),
    "ledger.paid_days": ("ledger.payouts",),
    "marts.employee_versions": ("raw.events",),
    "marts.tasks_created": ("raw.events",),
    "marts.dearest_tasks": ("raw.events",),
    "marts.task_days": ("raw.events",),
    "marts.unfinished_tasks": ("raw.events",),
    "marts.finished_tasks": ("marts.unfinished_tasks",),
    "ops.ingest_state": ("raw.events",),
    "ops.payout_state": ("ledger.payouts",),
    "raw.event_log_archive": (EVENT_LOG, "ledger.paid_days"),
    "ops.archived_days": ("raw.event_log_archive",),
    "ops.archive_state": ("raw.event_log_archive",),
    "ops.check_results": ("raw.events", "ledger.postings", "ledger.payouts"),
}
# Tables whose first rows people would rather see than count, and the order that puts them first.
# Nothing with names or addresses of people.
PREVIEWS: Mapping[str, str] = {
    "ledger.certificates": "business_date desc",
    "ledger.paid_days": "business_date desc",
    "marts.balances": "balance_cents",
    "marts.company_days": "business_date desc",
    "marts.dearest_tasks": "business_date desc, reward_cents desc",
}
# The round of checks says of every table, at least so often, how many rows it has.
LOOKED_AT_EVERY = dt.timedelta(hours=1)
TABLE_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=3 * LOOKED_AT_EVERY, warn_window=2 * LOOKED_AT_EVERY
)
# Made once a business day, shortly after midnight; a check says whether by the agreed time.
DAILY_FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=dt.timedelta(hours=26), warn_window=dt.timedelta(hours=25)
)


def asset_key(full_name: str) -> dg.AssetKey:
    """The key of `schema.table`."""
    schema, _, name = full_name.partition(".")
    return dg.AssetKey([schema, name])


def asset_keys(full_names: tuple[str, ...]) -> list[dg.AssetKey]:
    """The keys of several tables, in their order."""
    return [asset_key(each) for each in full_names]


def table_spec(full_name: str, freshness_policy: dg.FreshnessPolicy) -> dg.AssetSpec:
    """A table of the lake as an asset, described by its own SQL."""
    table = read_tables()[full_name]
    return dg.AssetSpec(
        asset_key(full_name),
        group_name=table.schema,
        kinds={"duckdb", "view" if table.is_view else "table"},
        owners=DATA_TEAM,
        description=table.comment,
        deps=asset_keys(_sources(table)),
        metadata={
            "dagster/table_name": full_name,
            "dagster/column_schema": dg.TableSchema(columns=_columns(table)),
        },
        freshness_policy=freshness_policy,
    )


def _sources(table: Table) -> tuple[str, ...]:
    return tuple(table.reads) if table.is_view else FILLED_FROM.get(table.full_name, ())


def _columns(table: Table) -> list[dg.TableColumn]:
    return [
        dg.TableColumn(
            name=each.name,
            type=each.data_type.lower(),
            description=each.comment,
            constraints=dg.TableColumnConstraints(nullable=each.is_nullable),
        )
        for each in table.columns
    ]


# For the asset that a run makes; here, because Dagster takes a spec in `defs/` for an asset.
PAYOUTS_TABLE = table_spec(PAYOUTS, DAILY_FRESHNESS)
