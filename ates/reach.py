"""Reaching the running installation from a command, with errors a user can act on."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ates import settings
from contracts.environment import SettingsError, read_environment

if TYPE_CHECKING:
    import duckdb
    from sqlalchemy import Engine

INTERRUPTED = "Query interrupted"  # how DuckDB tells of a signal


def enter_environment() -> dict[str, str]:
    """The full environment of this installation, also put into `os.environ`.

    Raises ClickException that names a wrong setting.
    """
    try:
        environment = settings.load().environment()
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    os.environ.update(environment)
    return environment


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C during a query of the lake be what it is everywhere else: KeyboardInterrupt."""
    try:
        yield
    except RuntimeError as error:
        if str(error) == INTERRUPTED:
            raise KeyboardInterrupt from error
        raise


@contextlib.contextmanager
def tracker_engine(environment: dict[str, str]) -> Iterator["Engine"]:
    """An engine on the tracker's database; one that is down ends the command with a reason."""
    import sqlalchemy.exc

    from ops_api.database import create_engine

    engine = create_engine(environment["DATABASE_URL"], pool_size=2, statement_timeout_seconds=0)
    try:
        yield engine
    except sqlalchemy.exc.OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise click.ClickException(
            f"the tracker's database does not answer ({reason}); is `ates up` running?"
        ) from error
    except sqlalchemy.exc.ProgrammingError as error:
        if "does not exist" not in str(error.orig):
            raise
        raise click.ClickException(
            "the tracker's database has no tables yet; start `ates up` first"
        ) from error
    finally:
        engine.dispose()


@contextlib.contextmanager
def lake_and_tracker(environment: dict[str, str]) -> Iterator["duckdb.DuckDBPyConnection"]:
    """The lake as `lake` and the tracker's database as `tracker`, both read only."""
    from warehouse.tracker import attach_tracker

    with _lake(environment, read_only=True) as connection:
        with interruptible():
            attach_tracker(connection, environment["DATABASE_URL"])
        yield connection


@contextlib.contextmanager
def lake_to_write(environment: dict[str, str]) -> Iterator["duckdb.DuckDBPyConnection"]:
    """The lake as `lake`, with the right to write."""
    with _lake(environment, read_only=False) as connection:
        yield connection


@contextlib.contextmanager
def _lake(environment: dict[str, str], *, read_only: bool) -> Iterator["duckdb.DuckDBPyConnection"]:
    import duckdb

    from warehouse.lake import LakeUnavailableError, connect
    from warehouse.settings import LakeSettings

    try:
        with interruptible():
            connection = connect(read_environment(LakeSettings, environment), read_only=read_only)
    except LakeUnavailableError as error:
        raise click.ClickException(f"{error}; is `ates up` running?") from error
    try:
        with interruptible():
            yield connection
    except (duckdb.IOException, duckdb.CatalogException) as error:
        raise click.ClickException(f"{error}; has `ates up` finished starting?") from error
    finally:
        connection.close()
