"""`ates archive`: a round of moving the oldest days of the event log into the lake."""

import datetime as dt
from typing import TYPE_CHECKING

import click

from ates import reach

if TYPE_CHECKING:
    from pipelines.archiving import ArchiveRound


@click.command("archive")
def command() -> None:
    """Move days older than EVENT_LOG_KEPT_DAYS from the event log into the lake; one round of it.

    Days that an earlier round copied leave the log, once their copies are proven; then paid days
    that are old enough are copied. Dagster does a round every night.
    """
    from pipelines.archiving import archive_round
    from pipelines.days.errors import TrackerError
    from warehouse.archive import ArchiveError
    from warehouse.lake import LakeUnavailableError, RivalError

    reach.enter_environment()
    try:
        done = archive_round(dt.datetime.now(dt.UTC))
    except (ArchiveError, TrackerError, LakeUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    except RivalError as error:
        raise click.ClickException(f"another archiver is at work: {error}") from error
    if done is None:
        raise click.ClickException("EVENT_LOG_KEPT_DAYS is not set: the log keeps everything")
    for line in _lines_of(done):
        click.echo(line)


def _lines_of(done: "ArchiveRound") -> list[str]:
    lines = []
    for what, days, count in (
        ("left the event log", done.removed, done.count_removed),
        ("copied into the lake", done.copied, done.count_copied),
    ):
        span = f", {days[0].business_date} to {days[-1].business_date}" if days else ""
        lines.append(f"{what}: {len(days):,} days, {count:,} events{span}")
    return lines
