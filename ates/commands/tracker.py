"""`ates tracker`: bring the tracker's database up to date, then serve."""

import os
import sys

import click

from ates.commands.errors import shown_plainly


@click.command("tracker")
@shown_plainly
def command() -> None:
    """Serve the task tracker until SIGTERM or Ctrl-C."""
    from sqlalchemy.exc import OperationalError

    from ates import settings
    from contracts.environment import read_environment
    from ops_api.database import migrate
    from ops_api.settings import TrackerSettings

    os.environ.update(settings.load().environment())
    tracker = read_environment(TrackerSettings)
    try:
        migrate(tracker.database_url)
    except OperationalError as error:
        reason = str(error.orig).strip()
        raise click.ClickException(f"cannot use the database: {reason}") from error
    # The same process starts afresh, without what migrating has loaded into memory.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "ops_api.server"])  # noqa: S606 - ourselves
