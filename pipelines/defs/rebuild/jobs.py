"""The proof as a job and as a schedule: the last week every night, everything on Sundays."""

import dagster as dg

from contracts.environment import read_environment
from pipelines.defs.rebuild.assets import rebuild_proof
from pipelines.settings import TrackerSettings

RUN_SECONDS_MAX = 3600
EVERY_NIGHT = "30 3 * * *"
DAYS_PROVEN_NIGHTLY = 7
SUNDAY = 6

prove_rebuild_job = dg.define_asset_job(
    "prove_rebuild",
    selection=[rebuild_proof],
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
    description=(
        "Builds a second lake from the event log and compares it: the whole history, or a span of "
        "certified days given in the launchpad."
    ),
)


@dg.definitions
def rebuild_schedules() -> dg.Definitions:
    """The schedule, in the business zone."""
    zone = read_environment(TrackerSettings).business_timezone

    @dg.schedule(
        name="prove_rebuild_nightly",
        cron_schedule=EVERY_NIGHT,
        execution_timezone=zone,
        job=prove_rebuild_job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Proves the last seven certified days every night, everything on Sundays.",
    )
    def prove_rebuild_nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        is_sunday = context.scheduled_execution_time.weekday() == SUNDAY
        config = {"last_days": 0 if is_sunday else DAYS_PROVEN_NIGHTLY}
        return dg.RunRequest(run_config={"ops": {"ops__rebuild_proof": {"config": config}}})

    return dg.Definitions(schedules=[prove_rebuild_nightly])
