"""The job that pays; the sensor asks for it, and a person may."""

import dagster as dg

from pipelines.defs.payouts.assets import payouts

# A worker that was killed leaves its run "started" for ever; after this it counts as failed.
RUN_SECONDS_MAX = 600

pay_due_days_job = dg.define_asset_job(
    "pay_due_days",
    selection=[payouts],
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
    description="Pays a range of certified business days in one run, oldest first.",
)
