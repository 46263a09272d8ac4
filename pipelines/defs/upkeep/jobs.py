"""Dagster forgets its old history every night."""

import dagster as dg

from contracts.environment import read_environment
from pipelines.defs.upkeep.assets import dagster_history
from pipelines.settings import TrackerSettings

EVERY_NIGHT = "45 4 * * *"

forget_history_job = dg.define_asset_job(
    "forget_dagster_history",
    selection=[dagster_history],
    description="Deletes Dagster's own events, evaluations and runs that are older than agreed.",
)


@dg.definitions
def upkeep_schedules() -> dg.Definitions:
    """The schedule, in the business zone."""
    nightly = dg.ScheduleDefinition(
        name="forget_dagster_history_nightly",
        cron_schedule=EVERY_NIGHT,
        execution_timezone=read_environment(TrackerSettings).business_timezone,
        job=forget_history_job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Keeps Dagster's own tables small.",
    )
    return dg.Definitions(schedules=[nightly])
