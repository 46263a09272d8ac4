"""Reaching the running installation from a command, with errors a user can act on."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ates import settings
from contracts.environment import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine


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
