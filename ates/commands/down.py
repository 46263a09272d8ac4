"""`ates down`: end the process that runs the stack, and whatever an earlier one left behind."""

import os
import signal
import time

import click

from ates import settings
from ates.commands.errors import shown_plainly

STOP_SECONDS_MAX = 90.0
POLL_SECONDS = 0.1


@click.command()
@shown_plainly
def command() -> None:
    """Stop what `ates up` or `ates demo` started for this ATES_HOME; nothing running is fine."""
    from ates.supervisor import Stack, leftovers

    current = settings.load()
    stack = Stack(current)
    holder = stack.holder()
    if holder is not None:
        os.kill(holder, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while stack.holder() == holder:
            if time.monotonic() > deadline:
                raise click.ClickException(f"process {holder} did not stop in time")
            time.sleep(POLL_SECONDS)
    ended = leftovers.end(current.home)
    click.echo("stopped" if holder is not None or ended else "nothing runs")
