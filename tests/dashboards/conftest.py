"""A real tracker that answers who somebody is, a real lake with a small ledger, and the pages."""

import contextlib
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator

import duckdb
import psutil
import pytest
import requests
import streamlit as st
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest

from ates.embedded.postgres import READER, ROLE, PostgresServer
from ates.grants import grant_reads
from contracts.environment import read_environment
from dashboards import access
from dashboards import lake as lake_door
from tests.dashboards.ledger import write_people
from tests.dashboards.tracker import Tracker
from tests.tidy.tree import ROOT
from warehouse.checks import Finding
from warehouse.lake import connect, create_tables
from warehouse.results import keep_results
from warehouse.settings import LakeSettings

PAGE_SECONDS_MAX = 30
START_SECONDS_MAX = 60


def database(server: PostgresServer, name: str, template: str = "template1") -> str:
    """The URL of a new database that lives as long as the server."""
    with contextlib.closing(server.connect_as_superuser()) as connection:
        connection.cursor().execute(f"create database {name} owner {ROLE} template {template}")
    return server.url(name)


@pytest.fixture(scope="session")
def tracker(
    postgres_server: PostgresServer, tracker_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tracker]:
    """Listening on a port of its own until the tests end."""
    url = database(postgres_server, "dashboards_tracker", tracker_template)
    tracker = Tracker(url, tmp_path_factory.mktemp("keys"))
    thread = threading.Thread(target=tracker.server.serve_forever, daemon=True)
    thread.start()
    yield tracker
    tracker.server.shutdown()
    thread.join()
    tracker.server.server_close()
    tracker.engine.dispose()


@pytest.fixture(scope="session")
def shared_lake(
    tracker: Tracker, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The variables of a lake with the ledger of `write_people`; read it, never write to it.

    Its Anna is the tracker's employee of the role worker.
    """
    url = database(postgres_server, "dashboards_lake")
    data = str(tmp_path_factory.mktemp("dashboards") / "lake")
    with contextlib.closing(
        connect(LakeSettings(lake_catalog_url=url, lake_data_path=data))
    ) as connection:
        create_tables(connection)
        write_people(connection, tracker.employee("worker"))
        findings = [Finding("a_holds", "A holds.", 0, []), Finding("b_fails", "B fails.", 1, [{}])]
        keep_results(connection, findings, checked_by="verify")
    variables = {
        "DATABASE_URL": postgres_server.url("dashboards_tracker"),
        "DATABASE_READER_URL": postgres_server.url("dashboards_tracker", READER),
        "LAKE_CATALOG_URL": url,
        "LAKE_READER_URL": postgres_server.url("dashboards_lake", READER),
        "LAKE_DATA_PATH": data,
    }
    grant_reads(variables)
    return variables


@pytest.fixture(scope="session")
def served(
    tracker: Tracker, shared_lake: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The dashboards' address, run by `ates serve` as in a container."""
    for role in ("worker", "manager", "accountant", "admin"):
        tracker.employee(role)
    environment = {
        **shared_lake,
        **tracker.variables(),
        "ATES_HOME": str(tmp_path_factory.mktemp("home")),
        "DAGSTER_DATABASE_URL": shared_lake["LAKE_CATALOG_URL"],
    }
    command = [sys.executable, "-m", "ates.cli", "serve", "dashboards"]
    with subprocess.Popen(command, env=environment) as running:
        try:
            _wait(f"{tracker.dashboards_url}/_stcore/health")
            assert "dashboards.server" in psutil.Process(running.pid).cmdline(), (
                "ates became the service"
            )
            yield tracker.dashboards_url
        finally:
            running.terminate()


@pytest.fixture
def no_lake(
    surroundings: None, unmade_lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The pages look at a lake that nobody has made yet."""
    with looking_at(unmade_lake_environment, monkeypatch):
        yield


@pytest.fixture
def lake(
    surroundings: None, lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The pages look at an empty lake of this test's own; this is the ingester's connection."""
    with (
        looking_at(lake_environment, monkeypatch),
        connect(read_environment(LakeSettings, lake_environment)) as connection,
    ):
        yield connection


@contextlib.contextmanager
def looking_at(lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the pages of this test read another lake, with its owner's account."""
    for name, value in lake_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAKE_READER_URL", lake_environment["LAKE_CATALOG_URL"])
    _forget_lake()
    yield
    _forget_lake()


@pytest.fixture
def surroundings(
    monkeypatch: pytest.MonkeyPatch, tracker: Tracker, shared_lake: dict[str, str]
) -> Iterator[None]:
    """The settings and options under which `ates` would start the pages, and no old answers."""
    variables = {**shared_lake, **tracker.variables()}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    options = tomllib.loads((ROOT / "dashboards/.streamlit/config.toml").read_text("utf-8"))
    for section in ("browser", "client", "logger", "runner", "server"):
        for option, value in options[section].items():
            config.set_option(f"{section}.{option}", value)
    # It would read what every installed package says of itself at each run of a simulated page.
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
    _forget_people()
    yield
    _forget_people()


def _forget_people() -> None:
    """Nobody's role is known from another test; figures of the shared lake stay what they are."""
    access._ask_provider.clear()
    access._last_answers.clear()


def _forget_lake() -> None:
    """No answer and no connection of another lake."""
    st.cache_resource.clear()
    lake_door.forget()


@pytest.fixture
def open_page(
    surroundings: None, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AppTest]:
    """Opens a page as somebody of a role (None: nobody is signed in)."""
    # A simulated page sends no cookies; the language is what Streamlit's own edge would say.
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: StreamlitCookies({})))

    def open_as(role: str | None, view: str = "company", **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboards/app.py"), default_timeout=PAGE_SECONDS_MAX)
        if role is None:
            app.user = {"is_logged_in": False}
            return app.run()
        app.user = {
            "is_logged_in": True,
            "exp": time.time() + 3_600,
            "tokens": {"access": tracker.sign_in(role)},
        }
        app.switch_page(f"views/{view}.py")
        app.query_params.update(query)
        return app.run()

    return open_as


def _wait(url: str) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise TimeoutError(f"{url} did not answer in {START_SECONDS_MAX} s")
