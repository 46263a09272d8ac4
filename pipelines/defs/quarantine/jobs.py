"""The retry as a job: what a newer program can read goes into the lake after all.

Doing without a record is a decision of a person with a reason: `ates quarantine discard`.
"""

from functools import partial
from uuid import UUID

import dagster as dg
from sqlalchemy import create_engine

from contracts.environment import read_environment
from pipelines.ingest.healing import read_positions
from pipelines.settings import IngestSettings
from warehouse.lake import connect
from warehouse.quarantine import QuarantinedRecord, QuarantineError, read_quarantine
from warehouse.quarantine_retry import retry
from warehouse.settings import LakeSettings

QUARANTINE = dg.AssetKey(["raw", "quarantine"])
RUN_SECONDS_MAX = 600
ROWS_SHOWN_MAX = 20


class RetryConfig(dg.Config):
    """Which waiting records to read again: their ids, or none for all."""

    record_ids: list[str] = []  # noqa: RUF012 - dagster makes a field of it


@dg.op(description="Reads waiting records again from the event log; what is good enters the lake.")
def read_again(context: dg.OpExecutionContext, config: RetryConfig) -> None:
    """Retry, and tell the catalog what is left."""
    only = [UUID(each) for each in config.record_ids] or None
    tracker = create_engine(read_environment(IngestSettings).database_url, pool_size=1)
    try:
        with connect(read_environment(LakeSettings)) as lake:
            result = retry(lake, partial(read_positions, tracker), only=only)
            left = [each for each in read_quarantine(lake) if each.state == "waiting"]
    except QuarantineError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    finally:
        tracker.dispose()
    context.log.info(f"{result.count_retried} read, {result.count_broken} still cannot be read")
    context.log_event(
        dg.AssetMaterialization(
            QUARANTINE,
            metadata={
                "read_again": dg.MetadataValue.int(result.count_retried),
                "still_broken": dg.MetadataValue.int(result.count_broken),
                "waiting": dg.MetadataValue.int(len(left)),
                "waiting_records": dg.MetadataValue.md(_table(left[:ROWS_SHOWN_MAX])),
            },
        )
    )


@dg.job(
    description=(
        "Reads quarantined events again: after an upgrade that knows their version, or after the "
        "event log was repaired. Payouts of their days go on by themselves."
    ),
    tags={"dagster/max_runtime": str(RUN_SECONDS_MAX)},
)
def retry_quarantine() -> None:
    """One step."""
    read_again()


def _table(records: list[QuarantinedRecord]) -> str:
    lines = ["| id | position | topic | reason | attempts |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.quarantine_id} | {each.position} | {each.topic} | {each.reason} |"
        f" {each.attempts} |"
        for each in records
    ]
    return "\n".join(lines)
