"""The marts are looked at every hour."""

import dagster as dg

from contracts.environment import read_environment
from pipelines.defs.marts.assets import analyst_marts
from pipelines.settings import TrackerSettings

RUN_SECONDS_MAX = 900
EVERY_HOUR = "20 * * * *"

check_marts_job = dg.define_asset_job(
    "check_marts",
    selection=[analyst_marts],
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
    description="Writes the analysts' views anew, counts their rows and tests every row.",
)


@dg.definitions
def mart_schedules() -> dg.Definitions:
    """The schedule, in the business zone."""
    hourly = dg.ScheduleDefinition(
        name="check_marts_hourly",
        cron_schedule=EVERY_HOUR,
        execution_timezone=read_environment(TrackerSettings).business_timezone,
        job=check_marts_job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Looks at the analysts' marts every hour.",
    )
    return dg.Definitions(schedules=[hourly])
