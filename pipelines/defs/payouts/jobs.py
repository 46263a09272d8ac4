"""The job that pays, which the sensor asks for, and the dry run, which a person asks for."""

import datetime as dt

import dagster as dg

from contracts.environment import read_environment
from pipelines.defs.checks.checks import markdown_table
from pipelines.defs.payouts.assets import CERTIFICATE_AGREES, PAYOUTS, payouts
from pipelines.lakes import open_reader
from warehouse.outlook import Outlook, preview_payouts
from warehouse.settings import LakeSettings

# A worker that hangs, or was killed alone, leaves its run "started"; then it counts as failed.
RUN_SECONDS_MAX = 600
ROWS_SHOWN_MAX = 50

pay_due_days_job = dg.define_asset_job(
    "pay_due_days",
    # Not all checks of the table, which the round of checks evaluates without a run.
    selection=dg.AssetSelection.assets(payouts).without_checks()
    | dg.AssetSelection.checks(dg.AssetCheckKey(PAYOUTS, CERTIFICATE_AGREES)),
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
    description="Pays a range of certified business days in one run, oldest first.",
)


class PreviewConfig(dg.Config):
    """Up to which business day, as 2026-11-24; empty: up to the newest, also if it is open."""

    through: str = ""


@dg.op(description="Works out what would be paid and shows it on ledger/payouts.")
def show_preview(context: dg.OpExecutionContext, config: PreviewConfig) -> None:
    """Nothing is paid and no partition counts as made: the figures are an observation."""
    try:
        through = dt.date.fromisoformat(config.through) if config.through else None
    except ValueError as error:
        raise dg.Failure(f"through: {error}", allow_retries=False) from error
    with open_reader(read_environment(LakeSettings)) as lake:
        outlook = preview_payouts(lake, through=through)
    context.log.info(f"unpaid days: {len(outlook.days)}, due: {outlook.due_cents} cents")
    context.log_event(dg.AssetObservation(PAYOUTS, metadata=_metadata(outlook)))


@dg.job(
    name="preview_payouts",
    description=(
        "Dry run: what would be paid for every unpaid day, open ones as if they were closed now. "
        "Pays nothing."
    ),
)
def preview_payouts_job() -> None:
    """One step."""
    show_preview()


def _metadata(outlook: Outlook) -> dict[str, dg.MetadataValue]:
    days = [
        (day.business_date, day.state, day.count_payouts, _money(day.payouts_cents))
        for day in outlook.days[-ROWS_SHOWN_MAX:]
    ]
    people = [
        (each.business_date, each.name or each.employee_id, _money(each.amount_cents))
        for each in outlook.payouts[-ROWS_SHOWN_MAX:]
    ]
    metadata: dict[str, dg.MetadataValue] = {
        "unpaid_days": dg.MetadataValue.int(len(outlook.days)),
        "due_cents": dg.MetadataValue.int(outlook.due_cents),
        "days": dg.MetadataValue.md(markdown_table(("day", "state", "payouts", "sum"), days)),
        "payouts": dg.MetadataValue.md(markdown_table(("day", "employee", "amount"), people)),
    }
    if outlook.difference:
        metadata["stopped_by"] = dg.MetadataValue.text(outlook.difference)
    return metadata


def _money(cents: int) -> str:
    return f"{cents / 100:,.2f}"
