"""The archiving of the event log as a job and as a nightly schedule."""

import datetime as dt

import dagster as dg

from contracts.environment import read_environment
from pipelines.archiving import ArchiveRound, archive_round
from pipelines.days.errors import TrackerError
from pipelines.graph import EVENT_LOG, asset_key
from pipelines.schedules import schedule
from pipelines.settings import ArchiveSettings
from warehouse.archive import ArchiveError

ARCHIVE = "raw.event_log_archive"
RUN_SECONDS_MAX = 3600
EVERY_NIGHT = "30 4 * * *"


@dg.op(description="Lets proven days leave the event log, and copies those that are old enough.")
def archive_old_days(context: dg.OpExecutionContext) -> None:
    """One round, told to the catalog."""
    try:
        done = archive_round(dt.datetime.now(dt.UTC))
    except (ArchiveError, TrackerError) as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    if done is None:
        context.log.info("EVENT_LOG_KEPT_DAYS is not set: the event log keeps everything")
        return
    context.log.info(
        f"{len(done.removed)} days ({done.count_removed:,} events) left the event log,"
        f" {len(done.copied)} days ({done.count_copied:,} events) were copied"
    )
    context.log_event(dg.AssetMaterialization(asset_key(ARCHIVE), metadata=_metadata(done)))
    context.log_event(
        dg.AssetObservation(
            asset_key(EVENT_LOG), metadata={"removed": dg.MetadataValue.int(done.count_removed)}
        )
    )


@dg.job(
    description=(
        "Moves the oldest days of the event log into the lake: those older than "
        "EVENT_LOG_KEPT_DAYS, certified and paid. A day leaves the log one round after its copy, "
        "when that is proven."
    ),
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
)
def archive_event_log() -> None:
    """One step."""
    archive_old_days()


def _ask_if_wanted(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    if read_environment(ArchiveSettings).event_log_kept_days is None:
        return dg.SkipReason("EVENT_LOG_KEPT_DAYS is not set: the log keeps everything")
    return dg.RunRequest()


archive_schedules = schedule(
    archive_event_log,
    "archive_event_log_nightly",
    EVERY_NIGHT,
    "A round of archiving every night, where EVENT_LOG_KEPT_DAYS is set.",
    _ask_if_wanted,
)


def _metadata(done: ArchiveRound) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {
        "days_removed_from_the_log": dg.MetadataValue.int(len(done.removed)),
        "events_removed_from_the_log": dg.MetadataValue.int(done.count_removed),
        "days_copied": dg.MetadataValue.int(len(done.copied)),
        "events_copied": dg.MetadataValue.int(done.count_copied),
    }
    if done.copied:
        metadata["copied_through"] = dg.MetadataValue.text(str(done.copied[-1].business_date))
    return metadata
