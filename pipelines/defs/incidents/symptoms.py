"""What Dagster knows to be wrong: checks that fail, assets that are overdue, runs that failed."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.freshness import FreshnessState
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.dagster_run import JobBucket
from dagster._core.storage.tags import WILL_RETRY_TAG

from pipelines.incidents.kinds import (
    CHECK_FAILS,
    CHECKS_NOT_TOLD,
    FRESHNESS_OVERDUE,
    KIND_OF_CHECK,
    RUN_FAILED,
    Symptom,
    symptom,
)

# A failed run that nobody repeats is no trouble any more after this.
RUN_FAILURE_LASTS = dt.timedelta(days=1)
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


def find_symptoms(
    instance: dg.DagsterInstance,
    graph: AssetGraph,
    job_names: Sequence[str],
    now: dt.datetime,
) -> list[Symptom]:
    """Three queries: the newest evaluation of every check, every asset's freshness, last runs."""
    return [
        *_of_checks(instance, sorted(graph.asset_check_keys)),
        *_of_freshness(instance, sorted(graph.get_all_asset_keys())),
        *_of_runs(instance, job_names, now),
    ]


def _of_checks(instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey]) -> Iterator[Symptom]:
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key, record in records.items():
        is_failing = record.status == AssetCheckExecutionRecordStatus.FAILED
        if not is_failing or key.name in CHECKS_NOT_TOLD:
            continue
        evaluation = record.event and record.event.asset_check_evaluation
        words = evaluation.description if evaluation else None
        asset = key.asset_key.to_user_string()
        kind = KIND_OF_CHECK.get(key.name, CHECK_FAILS)
        summary = f"{key.name} of {asset} does not hold" + (f" ({words})" if words else "")
        yield symptom(kind, summary, f"{asset}:{key.name}" if kind is CHECK_FAILS else "")


def _of_freshness(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> Iterator[Symptom]:
    """One symptom a group: what keeps one table from being looked after keeps its neighbours."""
    overdue: dict[str, list[str]] = defaultdict(list)
    for key, record in instance.get_freshness_state_records(keys).items():
        if record.freshness_state == FreshnessState.FAIL:
            overdue[key.path[0]].append(key.to_user_string())
    for group, names in overdue.items():
        yield symptom(FRESHNESS_OVERDUE, f"overdue: {', '.join(sorted(names))}", group)


def _of_runs(
    instance: dg.DagsterInstance, job_names: Sequence[str], now: dt.datetime
) -> Iterator[Symptom]:
    """Of each job the last run that ended; one that Dagster tries again by itself is no trouble."""
    last = JobBucket(job_names=list(job_names), bucket_limit=1)
    for record in instance.get_run_records(dg.RunsFilter(statuses=ENDED), bucket_by=last):
        run = record.dagster_run
        ended_at = dt.datetime.fromtimestamp(record.end_time or 0.0, dt.UTC)
        is_retried = run.tags.get(WILL_RETRY_TAG) == "true"
        if run.status != dg.DagsterRunStatus.FAILURE or is_retried:
            continue
        if now - ended_at < RUN_FAILURE_LASTS:
            yield symptom(RUN_FAILED, f"the last run of {run.job_name} failed", run.job_name)
