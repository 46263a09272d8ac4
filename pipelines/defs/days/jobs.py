"""The closing of days as a job, for people; the schedule asks without a run, which is quicker."""

import dagster as dg

from pipelines.defs.days.assets import business_days

close_due_days_job = dg.define_asset_job(
    "close_due_days_now",
    selection=[business_days],
    description="Asks the tracker to close every business day that is over.",
)
