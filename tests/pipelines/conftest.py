"""A mail office with everything real: lake, PostgreSQL queue and an SMTP server that can fail."""

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

import dagster as dg
import duckdb
import pytest
from sqlalchemy import Engine, text

from ates.embedded.process import free_port
from pipelines.gateway import live as gate_live
from pipelines.gateway import provider as gate_provider
from pipelines.mail.database import create_schema, open_engine
from pipelines.mail.office import Office, RoundReport
from pipelines.mail.post import Desk
from pipelines.mail.smtp import SmtpServer
from tests.pipelines.gate_world import GateWorld, gate_world
from tests.pipelines.smtp_sink import SmtpSink
from warehouse.lake import connect
from warehouse.settings import LakeSettings

# Dagster calls backfill policies "beta" when their module is imported by itself; its own loader of
# the folder `defs` hides that in every process but a test.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pipelines.defs.checks import sensors as check_sensors
    from pipelines.defs.payouts import sensors as payout_sensors

START = dt.datetime(2026, 11, 20, 6, tzinfo=dt.UTC)


@dataclass
class SetClock:
    """A clock that stands still until a test moves it."""

    now: dt.datetime = START

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        """Let time pass: `advance(hours=1)`."""
        self.now += dt.timedelta(**amount)


@dataclass
class MailWorld:
    """The mail office of a test and the things it works with."""

    office: Office
    sink: SmtpSink
    lake: duckdb.DuckDBPyConnection
    clock: SetClock

    @property
    def desk(self) -> Desk:
        """Where its mails leave from."""
        return self.office.desk

    def work(self) -> RoundReport:
        """One round."""
        return self.office.work(budget_seconds=60.0)

    def rows(self, columns: str = "state") -> list[tuple[object, ...]]:
        """The deliveries, oldest day first."""
        query = text(f"select {columns} from mail.deliveries order by business_date, email, name")
        with self.desk.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """A listening SMTP server."""
    sink = SmtpSink(free_port())
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def lake(lake_settings: LakeSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty lake with its tables."""
    connection = connect(lake_settings)
    yield connection
    connection.close()


@pytest.fixture
def instance(
    lake_environment: dict[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """A Dagster that forgets, over an empty lake and tracker."""
    settings = {**lake_environment, "DATABASE_URL": database_url, "BUSINESS_TIMEZONE": "UTC"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance
    check_sensors.LAKE.close()
    check_sensors.TRACKER.close()
    payout_sensors.LAKE.close()


@pytest.fixture
def mail_engine(database_url: str) -> Iterator[Engine]:
    """A database with the mail tables."""
    engine = open_engine(database_url)
    create_schema(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def desk(mail_engine: Engine, sink: SmtpSink, clock: SetClock) -> Desk:
    """A desk with nothing to send."""
    return Desk(
        engine=mail_engine,
        server=SmtpServer.from_url(sink.url),
        mail_from="Popugs <ates@uberpopug.example>",
        clock=clock,
        rng=Random(7),
    )


@pytest.fixture
def new_office(lake: duckdb.DuckDBPyConnection, desk: Desk) -> Callable[[], Office]:
    """Another office over the same queue, lake and server."""
    return lambda: Office(desk, lake.cursor(), ZoneInfo("UTC"))


@pytest.fixture
def clock() -> SetClock:
    """Stands at START."""
    return SetClock()


@pytest.fixture
def office(
    new_office: Callable[[], Office],
    sink: SmtpSink,
    lake: duckdb.DuckDBPyConnection,
    clock: SetClock,
) -> MailWorld:
    """An office with nothing to do yet."""
    return MailWorld(new_office(), sink, lake, clock)


@pytest.fixture(scope="session")
def running_gate() -> Iterator[GateWorld]:
    """One gate for all tests."""
    with gate_world() as world, pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_provider, "PERSON_SECONDS", 0.2)
        patch.setattr(gate_provider, "METADATA_SECONDS", 0.2)
        patch.setattr(gate_live, "CHECK_SECONDS", 0.1)
        yield world


@pytest.fixture
def gate(running_gate: GateWorld) -> GateWorld:
    """The gate, with nothing left of earlier tests."""
    running_gate.dagster.seen.clear()
    running_gate.dagster.said.clear()
    running_gate.provider.is_silent = False
    running_gate.provider.issuer = ""
    running_gate.provider.id_token_changes.clear()
    return running_gate
