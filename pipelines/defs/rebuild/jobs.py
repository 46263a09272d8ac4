"""The proof as a job and as a schedule: the last week every night, everything on Sundays."""

import dagster as dg

from pipelines.defs.rebuild.assets import rebuild_proof
from pipelines.schedules import schedule

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


def _ask_for_a_span(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    is_sunday = context.scheduled_execution_time.weekday() == SUNDAY
    config = {"last_days": 0 if is_sunday else DAYS_PROVEN_NIGHTLY}
    return dg.RunRequest(run_config={"ops": {"ops__rebuild_proof": {"config": config}}})


rebuild_schedules = schedule(
    prove_rebuild_job,
    "prove_rebuild_nightly",
    EVERY_NIGHT,
    "Proves the last seven certified days every night, everything on Sundays.",
    _ask_for_a_span,
)
