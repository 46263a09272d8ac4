"""What our schedules share: they keep the business zone, and nobody has to switch them on."""

from collections.abc import Callable

import dagster as dg
from dagster._core.definitions.target import ExecutableDefinition

from contracts.environment import read_environment
from pipelines.settings import TrackerSettings

# Instead of a plain run: the run to ask for, or why there is none.
Decision = Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]


def schedule(
    job: ExecutableDefinition,
    name: str,
    cron_schedule: str,
    description: str,
    decide: Decision | None = None,
) -> Callable[..., dg.Definitions]:
    """The schedule as an entry point of a module under `defs/`; read when Dagster loads it."""

    @dg.definitions
    def schedules() -> dg.Definitions:
        one = dg.ScheduleDefinition(
            job=job,
            name=name,
            cron_schedule=cron_schedule,
            description=description,
            execution_fn=decide,
            execution_timezone=read_environment(TrackerSettings).business_timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        return dg.Definitions(schedules=[one])

    return schedules
