"""A real tracker that answers who somebody is, a real lake with a small ledger, and the pages."""

import contextlib
import datetime as dt
import json
import random
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import duckdb
import psutil
import pytest
import requests
import streamlit as st
from streamlit import config
from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME
from werkzeug.serving import BaseWSGIServer, make_server

from ates.embedded import process
from ates.embedded.postgres import READER, ROLE, PostgresServer
from ates.grants import grant_reads
from contracts.environment import read_environment
from dashboards import access
from dashboards import lake as lake_door
from dashboards.settings import DashboardSettings
from ops_api.app import create_app
from ops_api.auth.passwords import hash_password
from ops_api.auth.sessions import find_session, start_session
from ops_api.auth.tokens import TokenGrant, hashed, keep_token, new_token
from ops_api.clock import system_clock
from ops_api.context import CommandContext
from ops_api.database import create_engine
from ops_api.employees.commands import Changes, change_employee, register_employee, set_password
from tests.dashboards.ledger import write_people
from tests.tidy.tree import ROOT
from tests.trackers import tracker_settings
from warehouse.lake import connect, create_tables
from warehouse.settings import LakeSettings

PAGE_SECONDS_MAX = 30
START_SECONDS_MAX = 60
UTC = ZoneInfo("UTC")
PASSWORD = "a password of the tests"
NO_DATABASES = {"DATABASE_READER_URL": "", "LAKE_READER_URL": ""}


class Tracker:
    """A tracker that listens, its employees, and what the dashboards need to know of it."""

    def __init__(self, database_url: str, keys: Path) -> None:
        self.engine = create_engine(database_url)
        self.server: BaseWSGIServer = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.dashboards_port = process.free_port()
        self.dashboards_url = f"http://127.0.0.1:{self.dashboards_port}"
        self.tokens: dict[str, str] = {}
        self.employees: dict[str, UUID] = {}
        self.settings = tracker_settings(
            database_url, keys, tracker_url=self.url, tracker_port=self.server.port,
            dashboards_url=self.dashboards_url,
        )  # fmt: skip
        self.server.app = create_app(self.settings, self.engine, system_clock, random.Random(7))

    def variables(self) -> dict[str, str]:
        """What the dashboards read from the environment."""
        return {
            "TRACKER_URL": self.url,
            "DASHBOARDS_URL": self.dashboards_url,
            "DASHBOARDS_PORT": str(self.dashboards_port),
            "OIDC_DASHBOARDS_SECRET": self.settings.oidc_dashboards_secret,
            "BUSINESS_TIMEZONE": "UTC",
            "DAGSTER_URL": "http://dagster.example",
        }

    def sign_in(self, role: str) -> str:
        """An access token of the one employee of this role."""
        if role not in self.tokens:
            self.tokens[role] = self._token_of(self.employee(role))
        return self.tokens[role]

    def cookies_of(self, role: str) -> dict[str, str]:
        """What the browser of a signed-in employee sends to the dashboards."""
        secret = read_environment(DashboardSettings, self.variables() | NO_DATABASES).cookie_secret
        tokens = json.dumps({"access_token": self.sign_in(role)})
        signed = create_signed_value(secret, TOKENS_COOKIE_NAME, tokens)
        return {TOKENS_COOKIE_NAME: signed.decode()}

    def employee(self, role: str) -> UUID:
        """The one employee of this role, with PASSWORD."""
        if role not in self.employees:
            context = CommandContext(
                actor_id=None, clock=system_clock, rng=random.Random(role),
                correlation_id=uuid4(), business_timezone=UTC,
            )  # fmt: skip
            with self.engine.begin() as connection:
                employee = register_employee(
                    connection, context, name=f"Iris {role}", email=f"{role}@example.com", role=role
                )
                set_password(
                    connection,
                    employee_id=employee.employee_id,
                    password_hash=hash_password(PASSWORD),
                )
            self.employees[role] = employee.employee_id
        return self.employees[role]

    def change_role(self, role: str, new_role: str) -> None:
        """Give the employee of a role another one, as an admin would."""
        context = CommandContext(
            actor_id=None, clock=system_clock, rng=random.Random(role), correlation_id=uuid4(),
            business_timezone=UTC,
        )  # fmt: skip
        with self.engine.begin() as connection:
            change_employee(
                connection, context,
                employee_id=self.employee(role), changes=Changes(role=new_role),  # type: ignore[arg-type]
            )  # fmt: skip

    def _token_of(self, employee_id: UUID) -> str:
        now, token = dt.datetime.now(dt.UTC), new_token()
        with self.engine.begin() as connection:
            session_id = start_session(connection, employee_id=employee_id, now=now)
            living = find_session(connection, session_id, now=now)
            assert living is not None
            grant = TokenGrant(
                client_id="dashboards", scope="openid profile email",
                session_hash=living.session_hash, code_hash=hashed(token),
            )  # fmt: skip
            keep_token(connection, token, grant, now=now)
        return token


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
) -> None:
    """The pages look at a lake that nobody has made yet."""
    look_at(unmade_lake_environment, monkeypatch)


@pytest.fixture
def lake(
    surroundings: None, lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The pages look at an empty lake of this test's own; this is the ingester's connection."""
    look_at(lake_environment, monkeypatch)
    with connect(read_environment(LakeSettings, lake_environment)) as connection:
        yield connection


def look_at(lake_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages of this test read another lake, with its owner's account."""
    for name, value in lake_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAKE_READER_URL", lake_environment["LAKE_CATALOG_URL"])


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
    _forget()
    yield
    _forget()


def _forget() -> None:
    """No answer and no connection of another test."""
    st.cache_resource.clear()
    lake_door.forget()
    access._last_answers.clear()


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
