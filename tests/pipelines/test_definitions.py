"""What Dagster shows and runs: an accidental rename fails, and so does a sensor that starts off."""

import warnings

import dagster as dg
import pytest

from pipelines.definitions import definitions

ASSETS = [
    "dashboards/accounting",
    "kafka/business_days",
    "kafka/employees",
    "kafka/tasks",
    "ledger/account_days",
    "ledger/certificates",
    "ledger/payouts",
    "ledger/postings",
    "mail/deliveries",
    "marts/balances",
    "marts/company_days",
    "marts/daily_productivity",
    "marts/dearest_tasks",
    "marts/debt_cohorts",
    "marts/earnings_decomposition",
    "marts/employee_versions",
    "marts/employees",
    "marts/finished_tasks",
    "marts/reassignment_flows",
    "marts/task_days",
    "marts/task_lifecycles",
    "marts/tasks_created",
    "marts/unfinished_tasks",
    "ops/rebuild_proof",
    "raw/events",
    "raw/quarantine",
    "tracker/business_days",
]
JOBS = [
    "__ASSET_JOB",
    "check_marts",
    "close_due_days_now",
    "pay_due_days",
    "prove_rebuild",
    "retry_quarantine",
]
SENSORS = ["deliver_mail", "ingest_window", "pay_certified_days"]
SCHEDULES = {
    "check_marts_hourly": "20 * * * *",
    "close_due_days": "* * * * *",
    "prove_rebuild_nightly": "30 3 * * *",
}


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    """Everything, loaded as Dagster loads it, with any warning an error."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setenv("BUSINESS_TIMEZONE", "Asia/Tbilisi")
        patch.setenv("TRACKER_URL", "http://127.0.0.1:1")
        patch.setenv("OIDC_PIPELINES_SECRET", "a-secret-of-tests")
        loaded = definitions()
        dg.Definitions.validate_loadable(loaded)
        return loaded.get_repository_def()


def test_the_names_are_the_agreed_ones(repository: dg.RepositoryDefinition) -> None:
    keys = repository.asset_graph.get_all_asset_keys()

    assert sorted(key.to_user_string() for key in keys) == ASSETS
    assert sorted(repository.job_names) == JOBS
    assert sorted(sensor.name for sensor in repository.sensor_defs) == SENSORS
    assert {one.name: one.cron_schedule for one in repository.schedule_defs} == SCHEDULES


def test_every_sensor_and_schedule_runs_without_anybody_switching_it_on(
    repository: dg.RepositoryDefinition,
) -> None:
    running = dg.DefaultSensorStatus.RUNNING
    assert all(one.default_status == running for one in repository.sensor_defs)
    for schedule in repository.schedule_defs:
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
        assert schedule.execution_timezone == "Asia/Tbilisi"


def test_every_asset_has_two_names_an_owner_a_group_a_kind_and_a_description(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        spec = node.to_asset_spec()
        assert len(key.path) == 2, key
        assert spec.owners, key
        assert spec.kinds, key
        assert spec.description, key
        assert spec.group_name not in (None, "default"), key


def test_the_graph_is_connected_from_the_topics_to_the_dashboards(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    for page in ("accounting",):
        above = {dg.AssetKey(["dashboards", page])}
        while parents := {p for key in above for p in graph.get(key).parent_keys} - above:
            above |= parents
        assert dg.AssetKey(["kafka", "tasks"]) in above


def test_payouts_may_cover_many_days_in_one_run(repository: dg.RepositoryDefinition) -> None:
    node = repository.asset_graph.get(dg.AssetKey(["ledger", "payouts"]))

    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert node.partitions_def is not None
    assert node.partitions_def.name == "business_date"  # type: ignore[attr-defined]
