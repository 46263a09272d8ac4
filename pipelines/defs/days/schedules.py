"""Every minute: is a business day over? The tracker knows and closes it, oldest first."""

import dagster as dg

from contracts.environment import read_environment
from pipelines.defs.days.assets import BUSINESS_DAYS, ask_to_close, closing_metadata
from pipelines.defs.days.jobs import close_due_days_job
from pipelines.settings import TrackerSettings

EVERY_MINUTE = "* * * * *"


@dg.definitions
def day_schedules() -> dg.Definitions:
    """The schedule, in the business zone."""
    zone = read_environment(TrackerSettings).business_timezone

    @dg.schedule(
        name="close_due_days",
        cron_schedule=EVERY_MINUTE,
        execution_timezone=zone,
        job=close_due_days_job,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Asks the tracker to close every business day that is over.",
    )
    def close_due_days(context: dg.ScheduleEvaluationContext) -> dg.SkipReason:
        closed = ask_to_close()
        if not closed:
            return dg.SkipReason("no day is due")
        context.instance.report_runless_asset_event(
            dg.AssetMaterialization(BUSINESS_DAYS, metadata=dict(closing_metadata(closed)))
        )
        days = ", ".join(str(day.business_date) for day in closed[-3:])
        return dg.SkipReason(f"closed without a run: {len(closed)} days, the last being {days}")

    return dg.Definitions(schedules=[close_due_days])
