"""Dagster forgets its old history every night."""

import dagster as dg

from pipelines.defs.upkeep.assets import dagster_history
from pipelines.schedules import schedule

EVERY_NIGHT = "45 4 * * *"

forget_history_job = dg.define_asset_job(
    "forget_dagster_history",
    selection=[dagster_history],
    description="Deletes Dagster's own events, evaluations and runs that are older than agreed.",
)

upkeep_schedules = schedule(
    forget_history_job,
    "forget_dagster_history_nightly",
    EVERY_NIGHT,
    "Keeps Dagster's own tables small.",
)
