"""The tracker's PostgreSQL: connecting and migrating."""

import threading
from importlib.resources import files
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ops_api import locks
from ops_api.driver import Connection

if TYPE_CHECKING:
    from alembic.config import Config

POOL_SIZE = 8
POOL_OVERFLOW_MAX = 4
POOL_WAIT_SECONDS = 5
CONNECT_TIMEOUT_SECONDS = 5
STATEMENT_TIMEOUT_SECONDS = 60
LOCK_TIMEOUT_SECONDS = 20
IDLE_IN_TRANSACTION_SECONDS = 60
MIGRATION_WAIT_SECONDS = 120

# Alembic keeps its context in module globals: one migration per process at a time.
_one_migration = threading.Lock()


def create_engine(
    url: str,
    *,
    pool_size: int = POOL_SIZE,
    statement_timeout_seconds: int = STATEMENT_TIMEOUT_SECONDS,
    is_autocommit: bool = False,
) -> sa.Engine:
    """An engine whose sessions speak UTC and wait for nothing without a limit.

    Connects lazily: a database that is down shows at the first statement. With `is_autocommit`
    each statement is its own transaction, which saves two round trips where one is enough.
    """
    options = {
        "timezone": "UTC",
        "default_transaction_isolation": "read\\ committed",
        "statement_timeout": f"{statement_timeout_seconds}s",
        "lock_timeout": f"{LOCK_TIMEOUT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
    }
    return sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=POOL_OVERFLOW_MAX,
        pool_timeout=POOL_WAIT_SECONDS,
        isolation_level="AUTOCOMMIT" if is_autocommit else None,
        skip_autocommit_rollback=is_autocommit,
        hide_parameters=True,  # a log line must not hold what a person typed
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": "ates",
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "connection_factory": None if is_autocommit else Connection,
        },
    )


def migrate(url: str) -> None:
    """Bring the schema to the newest revision; threads and processes may call it at once.

    All or nothing: the revisions run in one transaction.
    """
    from alembic import command  # takes 0.15 s, which only who migrates has to spend

    engine = create_engine(url, statement_timeout_seconds=MIGRATION_WAIT_SECONDS)
    try:
        with _one_migration, engine.begin() as connection:
            connection.execute(sa.text(f"set local lock_timeout = '{MIGRATION_WAIT_SECONDS}s'"))
            locks.take_alone(connection, locks.MIGRATION)
            command.upgrade(_alembic_config(connection), "head")
    finally:
        engine.dispose()


def _alembic_config(connection: sa.Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("ops_api") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
