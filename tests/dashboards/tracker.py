"""A tracker that listens on a port of its own, so that the pages can ask it who somebody is."""

import datetime as dt
import json
import random
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME
from werkzeug.serving import BaseWSGIServer, make_server

from ates.embedded import process
from contracts.environment import read_environment
from dashboards.settings import DashboardSettings
from ops_api.app import create_app
from ops_api.auth.passwords import hash_password
from ops_api.auth.sessions import find_session, start_session
from ops_api.auth.tokens import TokenGrant, hashed, keep_token, new_token
from ops_api.clock import system_clock
from ops_api.context import CommandContext
from ops_api.database import create_engine
from ops_api.employees.commands import (
    Changes,
    change_employee,
    register_employee,
    set_password,
)
from tests.trackers import tracker_settings

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

    @property
    def cookie_secret(self) -> str:
        """What signs the dashboards' cookies."""
        return read_environment(DashboardSettings, self.variables() | NO_DATABASES).cookie_secret

    def cookies_of(self, role: str) -> dict[str, str]:
        """What the browser of a signed-in employee sends to the dashboards."""
        tokens = json.dumps({"access_token": self.sign_in(role)})
        signed = create_signed_value(self.cookie_secret, TOKENS_COOKIE_NAME, tokens)
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
                employee_id=self.employee(role), changes=Changes(role=new_role),
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
