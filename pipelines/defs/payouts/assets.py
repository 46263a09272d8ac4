"""Payouts: any range of certified days in one run, oldest first, never anything twice.

The rules and the guard against a rival are in `warehouse.payouts`; this asks and reports.
"""

import datetime as dt
from collections.abc import Iterator

import dagster as dg

from contracts.environment import read_environment
from pipelines import graph
from pipelines.defs.checks.checks import markdown_table
from pipelines.defs.payouts.partitions import business_dates
from warehouse.lake import connect
from warehouse.paydays import PaidDaySums, read_paid_days
from warehouse.payouts import CertificateMismatch, Examination, examine_due_days, pay_due_days
from warehouse.settings import LakeSettings

PAYOUTS = graph.PAYOUTS_TABLE.key
CERTIFICATE_AGREES = "certificate_agrees"
DAYS_NAMED_MAX = 5


@dg.asset(
    key=graph.PAYOUTS_TABLE.key,
    group_name=graph.PAYOUTS_TABLE.group_name,
    kinds=graph.PAYOUTS_TABLE.kinds,
    owners=graph.PAYOUTS_TABLE.owners,
    description=graph.PAYOUTS_TABLE.description,
    deps=[*graph.PAYOUTS_TABLE.deps],
    metadata=graph.PAYOUTS_TABLE.metadata,
    freshness_policy=graph.PAYOUTS_TABLE.freshness_policy,
    partitions_def=business_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[
        dg.AssetCheckSpec(
            CERTIFICATE_AGREES,
            asset=PAYOUTS,
            blocking=True,
            description=(
                "Before a day is paid, count and sums of its certificate are those of the lake. "
                "The first day that disagrees stops itself and all later ones."
            ),
        )
    ],
)
def payouts(
    context: dg.AssetExecutionContext,
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Examine, then pay all days up to the last chosen one, then report each chosen day.

    Days before the chosen ones are paid first, and a day already paid is only reported again.
    """
    dates = sorted(dt.date.fromisoformat(key) for key in context.partition_keys)
    mismatch: CertificateMismatch | None = None
    with connect(read_environment(LakeSettings)) as lake:
        yield _certificate_check(examine_due_days(lake, through=dates[-1]))
        try:
            newly_paid = pay_due_days(lake, through=dates[-1])
            context.log.info(f"days paid now: {len(newly_paid)}, asked for: {len(dates)}")
        except CertificateMismatch as error:
            mismatch = error
        sums = read_paid_days(lake, first=dates[0], last=dates[-1])
    if unpaid := [date for date in dates if date not in sums]:
        _show_those_before(context, sums)
        reason = str(mismatch or "their events have not all arrived")
        raise dg.Failure(f"{reason}; still unpaid: {_named(unpaid)}", allow_retries=False)
    _describe(context, [sums[date] for date in dates])
    yield dg.MaterializeResult()
    if len(dates) > 1:
        # Dagster tells the days of a run in any order, and the last one told counts as the latest.
        _show(context, sums[dates[-1]])


def _describe(context: dg.AssetExecutionContext, days: list[PaidDaySums]) -> None:
    """What `context.add_asset_metadata` does, which reads all partitions anew for each of them."""
    step = context.get_step_execution_context()
    described = step._metadata_accumulator
    for day in days:
        described = described.with_additional_asset_metadata(
            asset_key=PAYOUTS,
            metadata=_metadata(day),
            partition_key=day.business_date.isoformat(),
        )
    step._metadata_accumulator = described


def _certificate_check(examination: Examination) -> dg.AssetCheckResult:
    mismatch = examination.mismatch
    metadata: dict[str, dg.MetadataValue] = {
        "days_that_agree": dg.MetadataValue.int(len(examination.payable)),
        "days_not_arrived": dg.MetadataValue.int(len(examination.waiting)),
    }
    if mismatch is not None:
        metadata["stopped_at"] = dg.MetadataValue.text(mismatch.business_date.isoformat())
        if mismatch.expected is not None:
            figures = ("count_events", "fees_cents", "rewards_cents")
            rows = [
                (name, getattr(mismatch.expected, name), getattr(mismatch.found, name))
                for name in figures
            ]
            table = markdown_table(("figure", "certificate", "lake"), rows)
            metadata["figures"] = dg.MetadataValue.md(table)
    return dg.AssetCheckResult(
        check_name=CERTIFICATE_AGREES,
        passed=mismatch is None,
        description="every certificate agrees" if mismatch is None else str(mismatch),
        metadata=metadata,
    )


def _show_those_before(context: dg.AssetExecutionContext, sums: dict[dt.date, PaidDaySums]) -> None:
    """The run fails, but what it did pay is paid, and shown."""
    for day in sums.values():
        _show(context, day)


def _show(context: dg.AssetExecutionContext, day: PaidDaySums) -> None:
    date = day.business_date.isoformat()
    context.log_event(dg.AssetMaterialization(PAYOUTS, partition=date, metadata=_metadata(day)))


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
