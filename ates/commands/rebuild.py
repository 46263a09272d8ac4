"""`ates rebuild`: does the event log alone give the same lake?"""

import datetime as dt
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ates import reach

if TYPE_CHECKING:
    from warehouse.rebuild import Rebuild, Span, TableComparison

NAME_WIDTH = 26
DAY = click.DateTime(["%Y-%m-%d"])


@click.command("rebuild")
@click.option("--from", "first", type=DAY, help="First day of a span; the whole history otherwise.")
@click.option("--to", "last", type=DAY, help="Last day of the span.")
@click.option(
    "--swap",
    type=click.Choice(["never", "if-identical", "always"]),
    default="never",
    show_default=True,
    help="When the rebuilt rows take the place of the lake's own; then no span.",
)
def command(first: dt.datetime | None, last: dt.datetime | None, swap: str) -> None:
    """Build a second lake from the event log alone and compare every table; exit 1 if any differs.

    The second lake is temporary; the first one is only read, unless rows are swapped. A span of
    closed days starts from the balances before it. To swap, pause the sensors `ingest_window` and
    `pay_certified_days`, or do it while nothing happens.
    """
    from contracts.environment import read_environment
    from pipelines.ingest.healing import read_event_log
    from warehouse.lake import LakeUnavailableError
    from warehouse.rebuild import RebuildError, Swap, rebuild
    from warehouse.settings import LakeSettings

    span = _span(first, last)
    if span and swap != "never":
        raise click.UsageError("only the whole history can be swapped: leave out --from and --to")
    environment = reach.enter_environment()
    home = Path(environment["ATES_HOME"])
    with (
        reach.tracker_engine(environment) as engine,
        tempfile.TemporaryDirectory(prefix="rebuild-", dir=home) as folder,
    ):
        act = partial(
            rebuild,
            read_environment(LakeSettings, environment),
            read_event_log(engine),
            Path(folder),
            span=span,
            swap=Swap(swap.replace("-", " ")),
            report_progress=_show_progress,
        )
        try:
            result = act()
        except (RebuildError, LakeUnavailableError) as error:
            raise click.ClickException(str(error)) from error
    for line in _lines_of(result):
        click.echo(line)
    if not result.is_identical:
        raise SystemExit(1)


def _span(first: dt.datetime | None, last: dt.datetime | None) -> "Span | None":
    from warehouse.rebuild import Span

    if first is None and last is None:
        return None
    if first is None or last is None or last < first:
        raise click.UsageError("a span needs --from and --to, in this order")
    return Span(first.date(), last.date())


def _show_progress(done: int, total: int) -> None:
    click.echo(f"rebuilt {done:,} of {total:,} events", err=True)


def _lines_of(result: "Rebuild") -> list[str]:
    lines = [_line_of(each) for each in result.comparisons]
    if result.is_swapped:
        lines.append("The rebuilt rows are in place.")
    return lines


def _line_of(comparison: "TableComparison") -> str:
    if comparison.is_identical:
        return f"ok    {comparison.table:<{NAME_WIDTH}} identical, {comparison.count_rows:,} rows"
    return (
        f"FAIL  {comparison.table:<{NAME_WIDTH}} {comparison.count_missing:,} rows only in the"
        f" lake, {comparison.count_surplus:,} only in the rebuilt one"
    )
