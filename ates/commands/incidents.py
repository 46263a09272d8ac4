"""`ates incidents`: what is wrong, since when, and who was told. Exit 1: something is wrong."""

import datetime as dt
from typing import TYPE_CHECKING

import click

from ates import reach
from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from pipelines.incidents.record import Incident

EXIT_OPEN = 1


@click.command("incidents")
@click.option("--all", "is_all", is_flag=True, help="Those that are over as well.")
@shown_plainly
def command(is_all: bool) -> None:
    """List open incidents, each with the page that says what to do; exits 1 if there are any."""
    from pipelines.incidents.record import open_record, read_incidents

    environment = reach.enter_environment()
    with (
        reach.tracker_engine(environment),
        open_record(environment["DATABASE_URL"]) as engine,
    ):
        incidents = read_incidents(engine, is_all=is_all)
    for each in incidents:
        _print(each)
    count_open = sum(each.resolved_at is None for each in incidents)
    click.echo("nothing is wrong" if not count_open else f"{count_open} open")
    if count_open:
        raise SystemExit(EXIT_OPEN)


def _print(incident: "Incident") -> None:
    """Two lines and the page: a table would break all of them at the width of a terminal."""
    from pipelines.incidents.kinds import KINDS

    kind = KINDS[incident.kind]
    until = f" until {_time(incident.resolved_at)}" if incident.resolved_at else ""
    mails = f"{incident.count_mails_sent} of {incident.count_mails} mails sent"
    click.echo(f"{incident.state}, since {_time(incident.opened_at)}{until}, {mails}")
    click.echo(f"  {kind.title}: {incident.summary}")
    click.echo(f"  {kind.page}\n")


def _time(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
