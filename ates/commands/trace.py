"""`ates trace ID`: the path of one user action, from its request to the mails about its money."""

from uuid import UUID

import click

from ates import reach, settings
from ates.commands.errors import shown_plainly


@click.command("trace")
@click.argument("action", metavar="ID", type=click.UUID)
@shown_plainly
def command(action: UUID) -> None:
    """Follow one user action: its request, events, lake, postings, payouts and mails.

    ID is a correlation id (of a request's log line, or of an event) or the id of one of its events.
    """
    from ates.trace import read_trace, request_lines

    environment = reach.enter_environment()
    with (
        reach.tracker_engine(environment) as engine,
        reach.lake_and_tracker(environment) as lake,
    ):
        trace = read_trace(engine, lake, action)
    if trace is None:
        raise click.ClickException(f"no event has this id or correlation id: {action}")
    for line in request_lines(settings.load().home, trace.correlation_id):
        click.echo(f"request  {line}")
    for line in trace.lines():
        click.echo(line)
