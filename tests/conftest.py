"""Real servers for all tests: started once per session, gone with pytest however it ends."""

import contextlib
import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from psycopg2 import sql

from ates.embedded import process
from ates.embedded.kafka import KafkaServer
from ates.embedded.postgres import ROLE, PostgresServer
from tests.shared_kafka import SharedKafka, shared_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from warehouse.settings import LakeSettings

# A test database need not survive a power cut; kill -9 of the server loses nothing even so.
POSTGRES_FOR_TESTS = {"fsync": "off", "full_page_writes": "off", "max_connections": "200"}
PROCESSES_MAX = 5  # the controller and four workers
# Databases, lakes and logs are files by the hundred; made here, each costs a tenth of a disk's.
MEMORY = Path("/dev/shm")
MEMORY_BYTES_MIN = 6_000_000_000
# After those with an installation: what takes a worker more than forty seconds, longest first.
LONG_FILES = (
    "dashboards/browser",
    "pipelines/deliveries",
    "warehouse/rebuild",
    "pipelines/checks",
    "warehouse/payouts",
    "ops_api/relay_faults",
    "pipelines/engine",
    "warehouse/kept",
    "pipelines/delivery_senders",
    "warehouse/upkeep",
    "oracle/oracle",
    "ates/reports",
    "pipelines/archiving",
    "warehouse/archive",
    "pipelines/kafka_source_faults",
    "ops_api/browser",
    "ops_api/openapi_fuzz",
    "pipelines/payouts",
    "warehouse/checks",
    "warehouse/quarantine_retry",
    "embedded/kafka",
    "ops_api/relay",
    "warehouse/task_marts",
    "ops_api/server",
    "ops_api/imports_resume",
)
TEMPLATE_DATABASE = "tracker_template"
TEMPLATE_LAKE = "lake_template"
MOVE_LAKE = sa.text("update ducklake_metadata set value = :path where key = 'data_path'")
NewDatabase = Callable[..., str]


def pytest_configure(config: pytest.Config) -> None:
    """Every process has ports of its own: one that is chosen is free until somebody listens."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # look again
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")) + 1
    process.FREE_PORTS = process.FREE_PORTS[number % PROCESSES_MAX :: PROCESSES_MAX]
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SharedKafka())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no worker is left with one when the others are done."""

    def turn(item: pytest.Item) -> tuple[bool, int]:
        is_last = item.get_closest_marker("installation") is None
        name = f"{item.path.parent.name}/{item.path.stem.removeprefix('test_')}"
        return is_last, LONG_FILES.index(name) if name in LONG_FILES else len(LONG_FILES)

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: no garbage collection need look at them again."""
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A running PostgreSQL 18; `.url(database)` is an SQLAlchemy URL of our own role."""
    home = tmp_path_factory.mktemp("postgres")
    server = PostgresServer(
        home / "server", process.free_port(), home / "secrets", POSTGRES_FOR_TESTS
    )
    with _running(server, home / "server.log"):
        yield server


@pytest.fixture(scope="session")
def kafka_server(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaServer]:
    """A running broker; `.bootstrap`, and `.credentials("admin" | "relay" | "ingest")`."""
    shared = shared_server(pytestconfig)
    if shared is not None:
        yield shared
        return
    home = tmp_path_factory.mktemp("kafka")
    ports = process.free_port(), process.free_port()
    server = KafkaServer(home / "server", *ports, home / "secrets", topic_prefix="")
    with _running(server, home / "server.log"):
        yield server


@pytest.fixture(scope="session")
def tracker_template(postgres_server: PostgresServer) -> str:
    """Name of a database with the tracker's schema and no row; copy it, never write to it."""
    from ops_api.database import migrate

    with contextlib.closing(postgres_server.connect_as_superuser()) as connection:
        _execute(connection, "create database {} owner {}", TEMPLATE_DATABASE, ROLE)
    migrate(postgres_server.url(TEMPLATE_DATABASE))
    return TEMPLATE_DATABASE


@pytest.fixture
def new_database(postgres_server: PostgresServer) -> Iterator[NewDatabase]:
    """Call it with a word, and optionally `template=`: the URL of a fresh database."""
    names: list[str] = []

    def create(word: str, template: str = "template1") -> str:
        names.append(f"{word}_{secrets.token_hex(4)}")
        with contextlib.closing(postgres_server.connect_as_superuser()) as connection:
            # Copying files takes a third of the time that logging them does.
            statement = "create database {} owner {} template {} strategy file_copy"
            _execute(connection, statement, names[-1], ROLE, template)
        return postgres_server.url(names[-1])

    yield create
    with contextlib.closing(postgres_server.connect_as_superuser()) as connection:
        for name in names:
            _execute(connection, "drop database if exists {} with (force)", name)


@pytest.fixture
def database_url(new_database: NewDatabase, tracker_template: str) -> str:
    """A tracker database of one's own: migrated, empty, dropped after the test."""
    return new_database("tracker", template=tracker_template)


@pytest.fixture(scope="session")
def lake_template(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The files of a lake with all tables and no row, its catalog in TEMPLATE_LAKE; to copy."""
    from warehouse.lake import connect, create_tables
    from warehouse.settings import LakeSettings

    with contextlib.closing(postgres_server.connect_as_superuser()) as connection:
        _execute(connection, "create database {} owner {}", TEMPLATE_LAKE, ROLE)
    url, data = postgres_server.url(TEMPLATE_LAKE), tmp_path_factory.mktemp("lake")
    with connect(LakeSettings(lake_catalog_url=url, lake_data_path=str(data))) as lake:
        create_tables(lake)
    return data


@pytest.fixture
def lake_environment(
    new_database: NewDatabase, lake_template: Path, tmp_path: Path
) -> dict[str, str]:
    """The variables of an empty lake of one's own."""
    data = shutil.copytree(lake_template, tmp_path / "lake")
    url = new_database("lake", template=TEMPLATE_LAKE)
    catalog = sa.create_engine(url, poolclass=sa.NullPool)
    with catalog.begin() as connection:
        connection.execute(MOVE_LAKE, {"path": f"{data}/"})
    return {"LAKE_CATALOG_URL": url, "LAKE_DATA_PATH": str(data)}


@pytest.fixture
def unmade_lake_environment(new_database: NewDatabase, tmp_path: Path) -> dict[str, str]:
    """The variables of a lake that nobody has made yet."""
    data = tmp_path / "unmade-lake"
    data.mkdir()
    return {"LAKE_CATALOG_URL": new_database("lake"), "LAKE_DATA_PATH": str(data)}


@pytest.fixture
def lake_settings(lake_environment: dict[str, str]) -> "LakeSettings":
    """An empty lake of one's own, with its tables."""
    from contracts.environment import read_environment
    from warehouse.settings import LakeSettings

    return read_environment(LakeSettings, lake_environment)


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """A browser without a window."""
    from tests.chromium import PATH, launched

    if PATH is None:
        pytest.skip("no chromium here; .ci/run installs it")
    with launched() as browser:
        yield browser


@pytest.fixture
def topic_prefix() -> str:
    """What this test's topics start with; its topics exist only when it makes them."""
    return f"t{secrets.token_hex(4)}."


@pytest.fixture
def environment(
    tmp_path: Path,
    database_url: str,
    lake_environment: dict[str, str],
    new_database: NewDatabase,
    kafka_server: KafkaServer,
    topic_prefix: str,
) -> dict[str, str]:
    """Every setting for child processes and `read_environment`, with everything of one's own.

    Nothing listens yet on the ports it names, except PostgreSQL and Kafka.
    """
    ports = {name: str(process.free_port()) for name in PORTS_OF_SERVICES}
    return {
        **lake_environment,
        **ports,
        "ATES_HOME": str(tmp_path / "home"),
        "BUSINESS_TIMEZONE": "UTC",
        "DAGSTER_HOME": str(tmp_path / "home" / "dagster"),
        "DATABASE_URL": database_url,
        "DAGSTER_DATABASE_URL": new_database("dagster"),
        "KAFKA_BOOTSTRAP_SERVERS": kafka_server.bootstrap,
        "KAFKA_TOPIC_PREFIX": topic_prefix,
        "KAFKA_TASK_PARTITIONS": "4",
        "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "KAFKA_RELAY_USERNAME": "relay",
        "KAFKA_RELAY_PASSWORD": kafka_server.password("relay"),
        "KAFKA_INGEST_USERNAME": "ingest",
        "KAFKA_INGEST_PASSWORD": kafka_server.password("ingest"),
        "SMTP_URL": f"smtp://127.0.0.1:{ports['SMTP_PORT']}",
        "MAIL_FROM": "ates@uberpopug.example",
        "TRACKER_HOST": "127.0.0.1",
        "TRACKER_URL": f"http://127.0.0.1:{ports['TRACKER_PORT']}",
        "DASHBOARDS_URL": f"http://127.0.0.1:{ports['DASHBOARDS_PORT']}",
        "DAGSTER_URL": f"http://127.0.0.1:{ports['DAGSTER_PORT']}",
        "OIDC_KEYS_PATH": str(tmp_path / "home" / "keys"),
        "OIDC_DASHBOARDS_SECRET": secrets.token_urlsafe(24),
        "OIDC_DAGSTER_SECRET": secrets.token_urlsafe(24),
        "OIDC_PIPELINES_SECRET": secrets.token_urlsafe(24),
    }


PORTS_OF_SERVICES = (
    "TRACKER_PORT",
    "SMTP_PORT",
    "MAILBOX_PORT",
    "DAGSTER_PORT",
    "DAGSTER_GRPC_PORT",
    "DAGSTER_WEB_PORT",
    "DASHBOARDS_PORT",
    "RELAY_METRICS_PORT",
    "DAGSTER_METRICS_PORT",
)


def _has_room(folder: Path) -> bool:
    """Whether everything that tests write fits, and programs may run from there."""
    if not folder.is_dir() or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(folder).free >= MEMORY_BYTES_MIN


@contextlib.contextmanager
def _running(server: process.Server, log: Path) -> Iterator[None]:
    running = process.Running(server, log)
    running.start()
    try:
        yield
    finally:
        running.stop()


def _execute(connection: Any, statement: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
