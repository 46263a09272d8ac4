"""Asks for one run over all certified days that are not paid, or paid but not yet shown as such.

The cursor is the day up to which every day is paid and shown; losing it costs one longer look.
No run key is used: Dagster would remember it and drop a run that is wanted again. On a quiet night
a look is one question, whether the lake is still the one in which nothing was due. While an import
brings day after day a run waits for the rest of them: two runs cost twice what one does.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time

import dagster as dg
import duckdb
from dagster import DagsterRunStatus

from contracts.environment import read_environment
from pipelines import metrics
from pipelines.dagster_instance import is_stop_requested
from pipelines.defs.payouts.assets import PAYOUTS
from pipelines.defs.payouts.jobs import pay_due_days_job
from pipelines.defs.payouts.partitions import business_dates
from pipelines.lakes import open_reader
from pipelines.settings import BusinessSettings
from pipelines.shared import Shared
from warehouse.paydays import PayableDay, read_payable_days
from warehouse.reading import read_snapshot_id
from warehouse.settings import LakeSettings

# Every look of the daemon, which comes every five seconds: who waits for a payout waits for this.
INTERVAL_SECONDS = 4
DAYS_PER_RUN_MAX = 20_000
# So many unpaid days come from an import; whether more of them follow, the next look shows.
DAYS_OF_AN_IMPORT_MIN = 40
GROWN_LOOKS_MAX = 6
IN_PROGRESS = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
RUNS_LOOKED_AT = 8
RETRY_SECONDS_FIRST = 15.0
RETRY_SECONDS_MAX = 900.0
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


@dataclass
class _Lookout:
    """The lake, and the snapshot and day for which nothing was found to be paid or shown."""

    lake: duckdb.DuckDBPyConnection
    nothing_at: tuple[int, dt.date | None] | None = None
    newest: dt.date | None = None
    count_grown: int = 0

    def look(self, done_through: dt.date | None) -> list[PayableDay]:
        """The oldest payable days after a date. Of the same lake the answer is the same."""
        here = read_snapshot_id(self.lake), done_through
        if here == self.nothing_at:
            return []
        payable = read_payable_days(self.lake, after=done_through)[:DAYS_PER_RUN_MAX]
        self.nothing_at = None if payable else here
        return payable

    def is_growing(self, payable: list[PayableDay], yesterday: dt.date) -> bool:
        """Whether these days are part of an import whose other days are still arriving."""
        before, self.newest = self.newest, payable[-1].business_date
        is_grown = self.newest < yesterday and before != self.newest
        self.count_grown = self.count_grown + 1 if is_grown else 0
        is_import = sum(not day.is_paid for day in payable) >= DAYS_OF_AN_IMPORT_MIN
        return is_import and 0 < self.count_grown <= GROWN_LOOKS_MAX


@contextmanager
def _open() -> Iterator[_Lookout]:
    with open_reader(read_environment(LakeSettings)) as lake:
        yield _Lookout(lake)


LAKE = Shared(_open)


@dg.sensor(
    name="pay_certified_days",
    job=pay_due_days_job,
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for one payout run over all certified days that are not paid yet.",
)
def pay_certified_days(
    context: dg.SensorEvaluationContext,
) -> dg.SensorResult | dg.SkipReason:
    """One look: nothing to do, a run under way, a pause after a failure, or a run asked for."""
    if is_stop_requested():
        return dg.SkipReason("everything is being stopped")
    done_through = dt.date.fromisoformat(context.cursor) if context.cursor else None
    with LAKE.use() as lookout:
        payable = lookout.look(done_through)
        is_growing = bool(payable) and lookout.is_growing(payable, _yesterday())
    metrics.note_payouts(sum(not day.is_paid for day in payable))
    if not payable:
        return dg.SkipReason(f"every certified day up to {done_through} is paid")
    if is_growing:
        return dg.SkipReason(f"more certified days are arriving, now {payable[-1].business_date}")
    if reason := _reason_to_wait(context.instance, time()):
        return dg.SkipReason(reason)
    keys = [day.business_date.isoformat() for day in payable]
    shown = context.instance.get_materialized_partitions(PAYOUTS)
    missing = [
        key for key, day in zip(keys, payable, strict=True) if not day.is_paid or key not in shown
    ]
    if not missing:
        context.update_cursor(keys[-1])
        return dg.SkipReason(f"every certified day up to {keys[-1]} is paid")
    # In one statement; a request for it in the result costs the daemon several queries a key.
    assert business_dates.name is not None
    context.instance.add_dynamic_partitions(business_dates.name, keys)
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(tags={RANGE_START_TAG: missing[0], RANGE_END_TAG: missing[-1]})
        ],
    )


def _yesterday() -> dt.date:
    zone = read_environment(BusinessSettings).zone
    return dt.datetime.fromtimestamp(time(), zone).date() - dt.timedelta(days=1)


def _reason_to_wait(instance: dg.DagsterInstance, now_seconds: float) -> str | None:
    """Why no run should be asked for at the moment; None when one should."""
    job_name = pay_due_days_job.name
    if instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=IN_PROGRESS)):
        return "a payout run is under way"
    records = instance.get_run_records(dg.RunsFilter(job_name=job_name), limit=RUNS_LOOKED_AT)
    count_failures = 0
    for record in records:
        if record.dagster_run.status != DagsterRunStatus.FAILURE:
            break
        count_failures += 1
    metrics.PAYOUT_FAILED_RUNS.set(count_failures)
    if not count_failures:
        return None
    pause_seconds = min(RETRY_SECONDS_FIRST * 2 ** (count_failures - 1), RETRY_SECONDS_MAX)
    ended_at = records[0].end_time or records[0].update_timestamp.timestamp()
    left_seconds = ended_at + pause_seconds - now_seconds
    if left_seconds <= 0:
        return None
    return f"the last {count_failures} payout runs failed; next try in {left_seconds:.0f} s"
