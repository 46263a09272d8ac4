"""`ates incidents`: what is wrong, since when, and who was told. Exit 1: something is wrong."""

import datetime as dt
from typing import TYPE_CHECKING

import click

from ates import reach
from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from rich.table import Table

    from pipelines.incidents.record import Incident

EXIT_OPEN = 1
WIDTH_OF_FILES = 200  # nothing is cut off in a pipe


@click.command("incidents")
@click.option("--all", "is_all", is_flag=True, help="Those that are over as well.")
@shown_plainly
def command(is_all: bool) -> None:
    """List open incidents, each with the page that says what to do; exits 1 if there are any."""
    from rich.console import Console

    from pipelines.incidents.record import open_record, read_incidents

    environment = reach.enter_environment()
    with (
        reach.tracker_engine(environment),
        open_record(environment["DATABASE_URL"]) as engine,
    ):
        incidents = read_incidents(engine, is_all=is_all)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    if incidents:
        console.print(_table(incidents))
    count_open = sum(each.resolved_at is None for each in incidents)
    console.print("nothing is wrong" if not count_open else f"{count_open} open")
    if count_open:
        raise SystemExit(EXIT_OPEN)


def _table(incidents: "list[Incident]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from pipelines.incidents.kinds import KINDS

    table = Table("state", "since", "until", "what", "mails", "what to do", box=None)
    for each in incidents:
        kind = KINDS[each.kind]
        table.add_row(
            each.state,
            _time(each.opened_at),
            _time(each.resolved_at),
            escape(f"{kind.title}: {each.summary}"),
            f"{each.count_mails_sent} of {each.count_mails} sent",
            kind.page,
        )
    return table


def _time(moment: dt.datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
