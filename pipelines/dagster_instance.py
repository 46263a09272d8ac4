"""Dagster's own set-up: its two configuration files, its commands, and its boot and stop.

State is in PostgreSQL, nothing is sent home, and every run, tick and process has a limit.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CODE_MODULE = "pipelines.definitions"
LOOPBACK = "127.0.0.1"
STOP_FILE = "stopping"

DEQUEUE_INTERVAL_SECONDS = 2
RUNS_AT_ONCE_MAX = 2
# One thread for every sensor or schedule that may be inside a long tick at the same moment.
TICKS_AT_ONCE_MAX = 4
# Threads of the code server: the long ticks, and enough besides to answer the web page.
CODE_SERVER_THREADS = 12
RUN_SECONDS_MAX = 900
# Generous: a run that only waits for a busy machine must not be given up.
RUN_START_SECONDS_MAX = 300
RUN_CHECK_INTERVAL_SECONDS = 15
# A run whose process was lost is tried again by itself; one whose step failed has said why.
RUN_RETRIES_MAX = 3
# A run that is due while the code server starts waits for it: longer than it takes to come back.
LAUNCH_RETRIES_MAX = 10
LAUNCH_RETRY_SECONDS = 5
TICKS_KEPT_DAYS = {"skipped": 1, "success": 3, "failure": 30}
LEFTOVER_RUNS_MAX = 1_000


def write_instance(folder: Path, environment: Mapping[str, str]) -> None:
    """Write `dagster.yaml` and `workspace.yaml` into Dagster's home, and allow ticks again.

    `environment` needs DAGSTER_GRPC_PORT; DAGSTER_GRPC_HOST is for a code server elsewhere.
    The database's address is read from DAGSTER_DATABASE_URL when a process starts, so that no
    secret lies in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "dagster.yaml", _instance())
    _write(folder / "workspace.yaml", _workspace(environment))
    (folder / STOP_FILE).unlink(missing_ok=True)


def commands(folder: Path, environment: Mapping[str, str]) -> dict[str, list[str]]:
    """The command lines of `code-server`, `webserver` and `daemon`, to start in this order.

    Each needs DAGSTER_HOME (the same folder) and the settings in its environment.
    """
    grpc_address = [
        *("--host", environment.get("DAGSTER_GRPC_HOST", LOOPBACK)),
        *("--port", environment["DAGSTER_GRPC_PORT"]),
    ]
    quietly = ["--log-level", "warning"]
    threads = ["--max-workers", str(CODE_SERVER_THREADS)]
    workspace = ["--workspace", str(folder / "workspace.yaml")]
    return {
        "code-server": [
            *_python("dagster", "api", "grpc", "--module-name", CODE_MODULE, *grpc_address),
            *("--use-python-environment-entry-point", *threads, *quietly),
        ],
        "webserver": _python("pipelines.webserver", environment["DAGSTER_WEB_PORT"]),
        "daemon": _python("dagster._daemon", "run", *workspace, *quietly),
    }


def request_stop(folder: Path) -> None:
    """Ask running ticks to end now; without it the daemon waits up to half a minute for them."""
    (folder / STOP_FILE).touch()


def is_stop_requested() -> bool:
    """Whether a tick should end now; false outside Dagster."""
    home = os.environ.get("DAGSTER_HOME")
    return home is not None and (Path(home) / STOP_FILE).exists()


def close_leftover_runs(folder: Path) -> int:
    """Mark runs that a crash left unfinished as failed; how many. For the code server's boot.

    Nobody else ends them: their process was a child of the last code server, and they would count
    as running until their time is up. As no step of theirs failed, the daemon tries them again.
    """
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

    unfinished = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    with DagsterInstance.from_config(str(folder)) as instance:
        runs = instance.get_runs(RunsFilter(statuses=unfinished), limit=LEFTOVER_RUNS_MAX)
        for run in runs:
            instance.report_run_failed(run, "the code server ended while the run was under way")
    return len(runs)


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _instance() -> dict[str, Any]:
    threads = {"use_threads": True, "num_workers": TICKS_AT_ONCE_MAX}
    kept = {"purge_after_days": TICKS_KEPT_DAYS}
    return {
        "storage": {
            "custom": {
                "module": "pipelines.dagster_storage",
                "class": "KeptConnectionsStorage",
                "config": {"postgres_url": {"env": "DAGSTER_DATABASE_URL"}},
            }
        },
        "run_coordinator": {
            "module": "dagster._core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {
                "dequeue_interval_seconds": DEQUEUE_INTERVAL_SECONDS,
                "max_user_code_failure_retries": LAUNCH_RETRIES_MAX,
                "user_code_failure_retry_delay": LAUNCH_RETRY_SECONDS,
            },
        },
        "concurrency": {"runs": {"max_concurrent_runs": RUNS_AT_ONCE_MAX}},
        "run_monitoring": {
            "enabled": True,
            "start_timeout_seconds": RUN_START_SECONDS_MAX,
            "max_runtime_seconds": RUN_SECONDS_MAX,
            "poll_interval_seconds": RUN_CHECK_INTERVAL_SECONDS,
        },
        "run_retries": {
            "enabled": True,
            "max_retries": RUN_RETRIES_MAX,
            "retry_on_asset_or_op_failure": False,
        },
        "sensors": threads,
        "schedules": threads,
        "retention": {"sensor": kept, "schedule": kept},
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
        # Each step of a run is in its event log anyway; the process log has what was said.
        "python_logs": {"python_log_level": "INFO"},
        "telemetry": {"enabled": False},
        "nux": {"enabled": False},
    }


def _workspace(environment: Mapping[str, str]) -> dict[str, Any]:
    server = {
        "host": environment.get("DAGSTER_GRPC_HOST", LOOPBACK),
        "port": int(environment["DAGSTER_GRPC_PORT"]),
        "location_name": "ates",
    }
    return {"load_from": [{"grpc_server": server}]}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
