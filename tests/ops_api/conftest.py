"""A tracker of one's own: an empty database, a clock that is set by hand, chance from a seed."""

import contextlib
import datetime as dt
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import Engine, text

from ates.embedded.postgres import ROLE, PostgresServer
from contracts import registry
from contracts.envelope import Envelope
from contracts.events import EventData
from ops_api.app import create_app
from ops_api.clock import system_clock
from ops_api.context import CommandContext
from ops_api.database import create_engine
from ops_api.employees.commands import register_employee
from ops_api.employees.models import Employee
from ops_api.outbox.sequencer import move_all
from ops_api.settings import TrackerSettings
from ops_api.tables import employees
from ops_api.web.state import EXTENSION, Tracker
from tests.statements import listening
from tests.trackers import tracker_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.ops_api.http import Client
    from tests.ops_api.relying_party import RelyingParty
    from tests.ops_api.site import Site

SHARED_DATABASE = "tracker_shared"
SINGLE_ROWS = {"log_head", "publications"}
# Deleting few rows takes a twentieth of the time of giving every table new files.
EMPTY = "; ".join(
    [
        *(
            f"delete from {table.name}"
            for table in reversed(employees.metadata.sorted_tables)
            if table.name not in SINGLE_ROWS
        ),
        "update log_head set last_position = 0",
        "update publications set published_position = 0",
        *(
            f"select setval(pg_get_serial_sequence('{table}', '{column}'), 1, false)"
            for table, column in (("outbox", "outbox_id"), ("security_events", "event_id"))
        ),
    ]
)
UTC = ZoneInfo("UTC")
MONDAY_NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    now: dt.datetime = MONDAY_NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += dt.timedelta(**span)


T = TypeVar("T")
Logged = tuple[int, Envelope, EventData]


@dataclass
class World:
    """The database with what tests do to it all the time."""

    engine: Engine
    clock: HandClock
    rng: random.Random
    zone: ZoneInfo = UTC

    def context(self, actor_id: UUID | None = None) -> CommandContext:
        return CommandContext(
            actor_id=actor_id,
            clock=self.clock,
            rng=self.rng,
            correlation_id=uuid4(),
            business_timezone=self.zone,
        )

    def employee(self, role: str = "worker", *, password_hash: str | None = None) -> Employee:
        word = self.rng.getrandbits(40)
        with self.engine.begin() as connection:
            return register_employee(
                connection,
                self.context(),
                name=f"Popug {word}",
                email=f"popug-{word}@example.com",
                role=role,
                password_hash=password_hash,
            )

    def run(self, command: Callable[..., T], actor_id: UUID | None = None, **values: object) -> T:
        """One command in one transaction."""
        with self.engine.begin() as connection:
            return command(connection, self.context(actor_id), **values)

    def log(self) -> list[Logged]:
        """Every event so far, by position, decoded by contracts."""
        with self.engine.begin() as connection:
            move_all(connection)
            rows = connection.execute(
                text("select position, body from event_log order by position")
            )
            return [(row.position, *registry.decode(row.body)) for row in rows]

    def one(self, sql: str, **values: object) -> object:
        """The first value of a query."""
        with self.engine.begin() as connection:
            return connection.execute(text(sql), values).scalar()

    @contextlib.contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Every statement that is sent to the database meanwhile."""
        sent: list[str] = []
        with listening(self.engine, lambda words, _values: sent.append(words)):
            yield sent


@pytest.fixture(scope="session")
def shared_database_url(postgres_server: PostgresServer, tracker_template: str) -> str:
    """One migrated database for all tests that only need it empty; see `engine`."""
    connection = postgres_server.connect_as_superuser()
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(
            f"create database {SHARED_DATABASE} owner {ROLE} template {tracker_template}"
        )
    return postgres_server.url(SHARED_DATABASE)


@pytest.fixture
def engine(shared_database_url: str) -> Iterator[Engine]:
    """An engine on a migrated database, emptied before the test."""
    made = create_engine(shared_database_url, pool_size=24)
    with made.begin() as connection:
        connection.execute(text(EMPTY))
    yield made
    made.dispose()


@pytest.fixture
def world(engine: Engine) -> World:
    """A tracker without people, on a Monday at noon."""
    return World(engine=engine, clock=HandClock(), rng=random.Random(1))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of signing keys; making one takes a while, so all tests share it."""
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def settings(shared_database_url: str, keys: Path) -> TrackerSettings:
    """Settings of a tracker on the test's database."""
    return tracker_settings(shared_database_url, keys)


@pytest.fixture(scope="session")
def shared_app(shared_database_url: str, keys: Path) -> Iterator[Flask]:
    """The application, put together once: its routes and templates take a while; see `app`."""
    settings = tracker_settings(shared_database_url, keys)
    engine = create_engine(shared_database_url)
    made = create_app(settings, engine, HandClock(), random.Random(1))
    yield made
    made.extensions[EXTENSION].reader.dispose()


@pytest.fixture
def app(shared_app: Flask, settings: TrackerSettings, world: World) -> Flask:
    """The application, on the world's clock and chance; who adds routes takes `own_app`."""
    shared_app.extensions[EXTENSION] = Tracker(
        settings=settings,
        engine=world.engine,
        reader=shared_app.extensions[EXTENSION].reader,
        clock=world.clock,
        rng=world.rng,
        zone=settings.zone,
    )
    return shared_app


@pytest.fixture
def own_app(settings: TrackerSettings, world: World) -> Iterator[Flask]:
    """An application that the test may change."""
    made = create_app(settings, world.engine, world.clock, world.rng)
    yield made
    made.extensions[EXTENSION].reader.dispose()


@pytest.fixture
def party(app: Flask) -> "RelyingParty":
    """The dashboards, at the provider."""
    from tests.ops_api.relying_party import RelyingParty

    return RelyingParty(app)


@pytest.fixture
def browser(app: Flask, world: World) -> "Client":
    """An accountant's, signed in at the tracker."""
    from tests.ops_api.http import signed_in

    return signed_in(app, world, "accountant")


@pytest.fixture
def site(chromium: "Browser", world: World, settings: TrackerSettings) -> "Iterator[Site]":
    """A tracker on a port of its own until the test ends, on the world's clock."""
    from tests.ops_api.site import serving

    world.clock.now = system_clock()
    with serving(chromium, world, settings) as site:
        yield site
