"""Every minute: is a business day over? The tracker knows and closes it, oldest first."""

import dagster as dg

from pipelines.defs.days.assets import BUSINESS_DAYS, ask_to_close, closing_metadata
from pipelines.defs.days.jobs import close_due_days_job
from pipelines.schedules import schedule

EVERY_MINUTE = "* * * * *"


def _close_without_a_run(context: dg.ScheduleEvaluationContext) -> dg.SkipReason:
    closed = ask_to_close()
    if not closed:
        return dg.SkipReason("no day is due")
    context.instance.report_runless_asset_event(
        dg.AssetMaterialization(BUSINESS_DAYS, metadata=dict(closing_metadata(closed)))
    )
    days = ", ".join(str(day.business_date) for day in closed[-3:])
    return dg.SkipReason(f"closed without a run: {len(closed)} days, the last being {days}")


day_schedules = schedule(
    close_due_days_job,
    "close_due_days",
    EVERY_MINUTE,
    "Asks the tracker to close every business day that is over.",
    _close_without_a_run,
)
