"""Payouts: any range of certified days in one run, oldest first, never anything twice.

The rules and the guard against a rival are in `warehouse.payouts`; this asks and reports.
"""

import datetime as dt

import dagster as dg

from contracts.environment import read_environment
from pipelines.defs.payouts.partitions import business_dates
from warehouse.lake import connect
from warehouse.paydays import PaidDaySums, read_paid_days
from warehouse.payouts import CertificateMismatch, pay_due_days
from warehouse.settings import LakeSettings

PAYOUTS = dg.AssetKey(["ledger", "payouts"])
DAYS_NAMED_MAX = 5


@dg.asset(
    key=PAYOUTS,
    partitions_def=business_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="ledger",
    kinds={"duckdb", "table"},
    owners=["team:data"],
    deps=[
        dg.AssetKey(["ledger", "certificates"]),
        dg.AssetKey(["ledger", "account_days"]),
        dg.AssetKey(["ledger", "postings"]),
    ],
    metadata={"dagster/table_name": "ledger.payouts"},
    description=(
        "One row per employee and business day whose balance was positive at its end. A day is "
        "paid once every event of its certificate has arrived and count and sums agree; days "
        "before the chosen ones are paid first, and a day already paid is only reported again."
    ),
)
def payouts(context: dg.AssetExecutionContext) -> None:
    """Pay all days up to the last chosen one, then report each chosen day."""
    dates = sorted(dt.date.fromisoformat(key) for key in context.partition_keys)
    with connect(read_environment(LakeSettings)) as lake:
        try:
            newly_paid = pay_due_days(lake, through=dates[-1])
        except CertificateMismatch as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        sums = read_paid_days(lake, first=dates[0], last=dates[-1])
    context.log.info(f"{len(newly_paid)} days paid now, {len(dates)} asked for")
    if unpaid := [date for date in dates if date not in sums]:
        raise dg.Failure(f"still unpaid, their events have not all arrived: {_named(unpaid)}")
    for date in dates:
        context.add_asset_metadata(_metadata(sums[date]), partition_key=date.isoformat())


def _metadata(day: PaidDaySums) -> dict[str, dg.MetadataValue]:
    return {
        "dagster/partition_row_count": dg.MetadataValue.int(day.count_payouts),
        "payouts_cents": dg.MetadataValue.int(day.payouts_cents),
        "paid_at": dg.MetadataValue.timestamp(day.paid_at),
    }


def _named(dates: list[dt.date]) -> str:
    shown = ", ".join(date.isoformat() for date in dates[:DAYS_NAMED_MAX])
    return (
        shown if len(dates) <= DAYS_NAMED_MAX else f"{shown} and {len(dates) - DAYS_NAMED_MAX} more"
    )
