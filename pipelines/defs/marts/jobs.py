"""The marts are looked at every hour."""

import dagster as dg

from pipelines.defs.marts.assets import analyst_marts
from pipelines.schedules import schedule

RUN_SECONDS_MAX = 900
EVERY_HOUR = "20 * * * *"

check_marts_job = dg.define_asset_job(
    "check_marts",
    selection=[analyst_marts],
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
    description="Writes the analysts' views anew, counts their rows and tests every row.",
)

mart_schedules = schedule(
    check_marts_job,
    "check_marts_hourly",
    EVERY_HOUR,
    "Looks at the analysts' marts every hour.",
)
