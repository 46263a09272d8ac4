"""`ates up`: start every server in order and stay in the foreground until Ctrl-C."""

import sys

import click

from ates import settings
from ates.commands.errors import shown_plainly


@click.command()
@shown_plainly
def command() -> None:
    """Start every server, each ready before those that need it; stay until Ctrl-C."""
    from ates.supervisor import Stack

    with Stack(settings.load()) as stack:
        try:
            stack.start(_tell)
            for row in stack.status():
                if row.url:
                    click.echo(f"  {row.name:<15} {row.url}")
            click.echo("all ready; Ctrl-C stops everything")
            stack.wait_forever(_tell)
        except KeyboardInterrupt:
            click.echo("stopping")
            stack.stop(_tell)


def _tell(name: str, what: str, seconds: float) -> None:
    click.echo(f"{seconds:6.1f} s  {name:<15} {what}")
    sys.stdout.flush()
