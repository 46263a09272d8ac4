"""Once a minute: what is wrong is recorded, and a mail is written when it begins and ends."""

import datetime as dt
from contextlib import AbstractContextManager

import dagster as dg
import duckdb
from sqlalchemy import Engine

from contracts.environment import read_environment
from pipelines import metrics
from pipelines.dagster_instance import is_stop_requested
from pipelines.defs.checks.sensors import LAKE
from pipelines.defs.incidents.symptoms import find_symptoms as find_in_dagster
from pipelines.incidents.kinds import LAKE_AWAY, QUARANTINE_WAITS, Symptom, symptom
from pipelines.incidents.record import note, open_record
from pipelines.incidents.symptoms import find_in_lake, find_in_tracker
from pipelines.settings import AlertSettings
from pipelines.shared import Shared
from warehouse.lake import LakeUnavailableError

LOOK_SECONDS = 60
# After a longer pause everything is overdue and about to be looked after: not worth a mail.
AWAY = dt.timedelta(seconds=4 * LOOK_SECONDS)


def _open() -> AbstractContextManager[Engine]:
    return open_record(read_environment(AlertSettings).database_url)


TRACKER = Shared(_open)


@dg.sensor(
    name="watch_for_incidents",
    minimum_interval_seconds=LOOK_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Records what is wrong and writes one mail when it begins and one when it is over.",
)
def watch_for_incidents(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """One look; its cursor is when it was."""
    if is_stop_requested():
        return dg.SkipReason("everything is being stopped")
    now = dt.datetime.now(dt.UTC)
    before = dt.datetime.fromisoformat(context.cursor) if context.cursor else None
    context.update_cursor(now.isoformat())
    if before is None or now - before > AWAY:
        return dg.SkipReason("nobody has looked for a while: the next look counts")
    repository = context.repository_def
    assert repository is not None, "the daemon gives it to every tick"
    symptoms = find_in_dagster(context.instance, repository.asset_graph, repository.job_names, now)
    in_lake, unknown = _look_into_lake()
    symptoms += in_lake
    with TRACKER.use() as tracker:
        symptoms += find_in_tracker(tracker, now)
        emails = read_environment(AlertSettings).emails
        change = note(tracker, symptoms, emails=emails, unknown=unknown, now=now)
    metrics.note_incidents(len(symptoms))
    words = ", ".join(sorted(each.key for each in symptoms)) or "nothing is wrong"
    return dg.SkipReason(f"{words}; {len(change.opened)} new, {len(change.resolved)} over")


def _look_into_lake() -> tuple[list[Symptom], tuple[str, ...]]:
    """What is wrong in the lake, and the kinds of which nothing is known while it is away."""
    try:
        with LAKE.use() as lake:
            return find_in_lake(lake), ()
    except (duckdb.Error, LakeUnavailableError) as error:
        words = str(error).partition("\n")[0]
        return [symptom(LAKE_AWAY, f"reading it fails: {words}")], (QUARANTINE_WAITS.name,)
