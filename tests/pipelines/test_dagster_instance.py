"""Dagster's set-up is one that Dagster itself accepts, and leftovers of a crash are closed."""

import datetime as dt
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
import yaml
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.test_utils import create_run_for_test
from dagster._core.workspace.load import location_origins_from_yaml_paths
from starlette.requests import HTTPConnection

from pipelines import dagster_instance, retention
from pipelines.gateway.rules import ACCESS_HEADER
from pipelines.webserver import Workspace
from tests.statements import listening

OF_DAGSTER = (
    "from pg_stat_activity where application_name = 'dagster' and datname = current_database()"
)
COUNT_CONNECTIONS = sa.text(f"select count(*) {OF_DAGSTER}")
# Editing components in the browser, which only a paid edition can.
PAID_RIGHT = "edit_app_managed_components"
END_CONNECTIONS = sa.text(f"select pg_terminate_backend(pid) {OF_DAGSTER}")


@pytest.fixture
def home(tmp_path: Path, new_database: "object", monkeypatch: pytest.MonkeyPatch) -> Path:
    """Dagster's home over a database of its own."""
    monkeypatch.setenv("DAGSTER_DATABASE_URL", new_database("dagster"))  # type: ignore[operator]
    dagster_instance.write_instance(tmp_path, {"DAGSTER_GRPC_PORT": "4266"})
    return tmp_path


def test_dagster_accepts_its_settings_and_keeps_its_state_in_postgresql(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert type(instance.run_storage).__name__ == "PostgresRunStorage"
        assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert type(instance.compute_log_manager).__name__ == "NoOpComputeLogManager"
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 2  # type: ignore[union-attr]
        assert instance.run_monitoring_enabled
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_settings("sensors")["use_threads"]
        assert instance.get_settings("schedules")["use_threads"]


def test_any_number_of_instances_share_a_few_kept_connections(home: Path) -> None:
    engine = sa.create_engine(os.environ["DAGSTER_DATABASE_URL"])
    counts = []
    with engine.connect() as connection:
        for number in range(10):
            with dg.DagsterInstance.from_config(str(home)) as instance:
                for _ in range(3):
                    instance.report_runless_asset_event(
                        dg.AssetMaterialization(["ledger", "payouts"], partition=str(number))
                    )
            counts.append(connection.scalar(COUNT_CONNECTIONS))
    engine.dispose()

    assert counts[-1] <= 3
    assert counts[-1] == counts[1]


def test_a_tick_neither_looks_again_for_tables_nor_forgets_old_ticks_again(home: Path) -> None:
    sent: list[str] = []
    with dg.DagsterInstance.from_config(str(home)) as instance:

        def tick(origin: str) -> None:
            instance.get_instigator_state(origin, "selector")
            instance.purge_ticks(origin, "selector", 1.0, [TickStatus.SKIPPED])

        tick("a sensor")
        engine = instance.schedule_storage._engine  # type: ignore[union-attr]
        with listening(engine, lambda words, _values: sent.append(words)):
            tick("a sensor")
            tick("another")

    first, second, third = sent
    assert "FROM instigators" in first
    assert second == first
    assert third.startswith("DELETE FROM job_ticks")


def test_a_restarted_database_costs_no_event(home: Path) -> None:
    engine = sa.create_engine(os.environ["DAGSTER_DATABASE_URL"])
    key = dg.AssetKey(["ledger", "payouts"])
    with dg.DagsterInstance.from_config(str(home)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition="1"))
        with engine.begin() as connection:
            connection.execute(END_CONNECTIONS)
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition="2"))

        assert instance.get_materialized_partitions(key) == {"1", "2"}
    engine.dispose()


def test_no_secret_lies_in_the_folder(home: Path) -> None:
    password = os.environ["DAGSTER_DATABASE_URL"].partition("@")[0].rpartition(":")[2]

    assert len(password) > 8
    assert all(password not in file.read_text() for file in home.glob("*.yaml"))


def test_the_workspace_names_the_code_server(home: Path) -> None:
    (origin,) = location_origins_from_yaml_paths([str(home / "workspace.yaml")])

    assert (origin.host, origin.port) == ("127.0.0.1", 4266)  # type: ignore[attr-defined]
    assert yaml.safe_load((home / "workspace.yaml").read_text())


def test_runs_left_by_a_crash_are_closed_and_others_left_alone(home: Path) -> None:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        status = {
            word: create_run_for_test(instance, job_name="pay_due_days", status=word).run_id
            for word in (
                dg.DagsterRunStatus.STARTED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.NOT_STARTED,
                dg.DagsterRunStatus.SUCCESS,
            )
        }

        assert dagster_instance.close_leftover_runs(home) == 2
        assert dagster_instance.close_leftover_runs(home) == 0

        found = {
            word.value: instance.get_run_by_id(run).status.value for word, run in status.items()
        }  # type: ignore[union-attr]
    assert found == {
        "STARTED": "FAILURE",
        "STARTING": "FAILURE",
        "NOT_STARTED": "NOT_STARTED",
        "SUCCESS": "SUCCESS",
    }


GROW_OLD = (
    "update event_logs set timestamp = timestamp - interval '30 days'",
    "update asset_check_executions set create_timestamp = create_timestamp - interval '30 days'",
    "update runs set update_timestamp = update_timestamp - interval '30 days'",
)


PAYOUTS, RAW = dg.AssetKey(["ledger", "payouts"]), dg.AssetKey(["raw", "events"])
OTHERS = dg.AssetKey(["ledger", "postings"])
SUMS = dg.AssetCheckKey(RAW, "sums")
TELL_SECONDS_MAX = 30


def tell(instance: dg.DagsterInstance, number: int) -> None:
    """Two partitions, a table and a check, each with the number of the telling."""
    tags = {"number": str(number)}
    for partition in ("1", "2"):
        event = dg.AssetMaterialization(PAYOUTS, partition=partition, tags=tags)
        instance.report_runless_asset_event(event)
    instance.report_runless_asset_event(dg.AssetMaterialization(RAW))
    check = dg.AssetCheckEvaluation(
        asset_key=RAW, check_name=SUMS.name, passed=True, metadata={"number": number}
    )
    instance.report_runless_asset_event(check)


@contextmanager
def told_meanwhile(instance: dg.DagsterInstance) -> Iterator[list[int]]:
    """Dagster at work: events are told without a pause by somebody else; how many."""
    told: list[int] = []
    has_begun, is_over = threading.Event(), threading.Event()

    def tell_on() -> None:
        while not is_over.is_set():
            instance.report_runless_asset_event(dg.AssetMaterialization(OTHERS))
            told.append(len(told))
            has_begun.set()

    with ThreadPoolExecutor(1) as pool:
        teller = pool.submit(tell_on)
        try:
            assert has_begun.wait(TELL_SECONDS_MAX)
            yield told
        finally:
            is_over.set()
        teller.result()


def make_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> str:
    """A run with an event."""
    run = create_run_for_test(instance, job_name="job", status=status)
    instance.report_engine_event("said", run)
    return run.run_id


def test_old_history_is_forgotten_but_for_what_is_still_needed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROWS_PER_BATCH", 2)
    engine = sa.create_engine(os.environ["DAGSTER_DATABASE_URL"])
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=14)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for number in range(3):
            tell(instance, number)
        unfinished = make_run(instance, dg.DagsterRunStatus.STARTED)
        make_run(instance, dg.DagsterRunStatus.SUCCESS)
        with engine.begin() as connection:
            for statement in GROW_OLD:
                connection.exec_driver_sql(statement)
        young = make_run(instance, dg.DagsterRunStatus.SUCCESS)

        with told_meanwhile(instance) as told:
            done, again = (retention.forget_old(engine, before=before) for _ in range(2))

        assert (again.count_checks, again.count_events, again.count_runs) == (0, 0, 0)
        assert (done.count_checks, done.count_runs) == (2, 1)
        assert {run.run_id for run in instance.get_runs()} == {unfinished, young}
        assert instance.get_materialized_partitions(PAYOUTS) == {"1", "2"}
        assert instance.get_latest_materialization_event(RAW) is not None
        newest = instance.fetch_materializations(PAYOUTS, limit=10).records
        assert [each.asset_materialization.tags["number"] for each in newest] == ["2", "2"]  # type: ignore[union-attr]
        assert len(instance.fetch_materializations(OTHERS, limit=10_000).records) == len(told)
        found = instance.event_log_storage.get_latest_asset_check_execution_by_key([SUMS])[SUMS]
        assert found.event.asset_check_evaluation.metadata["number"].value == 2  # type: ignore[union-attr]
    engine.dispose()


def test_a_stop_asks_the_ticks_to_end_until_the_next_start(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    assert not dagster_instance.is_stop_requested()

    dagster_instance.request_stop(home)
    assert dagster_instance.is_stop_requested()

    dagster_instance.write_instance(home, {"DAGSTER_GRPC_PORT": "4266"})
    assert not dagster_instance.is_stop_requested()


def test_the_commands_name_every_address() -> None:
    environment = {
        "DAGSTER_GRPC_PORT": "4266",
        "DAGSTER_GRPC_HOST": "0.0.0.0",  # noqa: S104 - only a word here
        "DAGSTER_WEB_PORT": "3001",
    }
    commands = dagster_instance.commands(Path("home"), environment)

    assert list(commands) == ["code-server", "webserver", "daemon"]
    assert "--host 0.0.0.0 --port 4266" in " ".join(commands["code-server"])
    assert commands["webserver"][1:] == ["-m", "pipelines.webserver", "3001"]


def test_whoever_is_not_said_to_have_every_right_only_reads(home: Path) -> None:
    found = {}
    with (
        dg.DagsterInstance.from_config(str(home)) as instance,
        Workspace(instance, None) as workspace,
    ):
        for said in ("full", "read", "", None):
            headers = [] if said is None else [(ACCESS_HEADER.encode(), said.encode())]
            connection = HTTPConnection({"type": "http", "headers": headers})
            rights = workspace.create_request_context(connection).permissions
            found[said] = {each.enabled for name, each in rights.items() if name != PAID_RIGHT}

    assert found == {"full": {True}, "read": {False}, "": {False}, None: {False}}
