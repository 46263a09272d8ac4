"""`ates rebuild`: does the event log alone give the same lake?"""

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ates import reach

if TYPE_CHECKING:
    from warehouse.rebuild import TableComparison

NAME_WIDTH = 26


@click.command("rebuild")
def command() -> None:
    """Build a second lake from the event log alone and compare every table; exit 1 if any differs.

    The second lake is temporary, the first one is only read.
    """
    from contracts.environment import read_environment
    from pipelines.ingest.healing import read_missing
    from warehouse.lake import LakeUnavailableError
    from warehouse.rebuild import RebuildError, rebuild_and_compare
    from warehouse.settings import LakeSettings

    environment = reach.enter_environment()
    home = Path(environment["ATES_HOME"])
    with (
        reach.tracker_engine(environment) as engine,
        tempfile.TemporaryDirectory(prefix="rebuild-", dir=home) as folder,
    ):
        read_log = partial(read_missing, engine)
        settings = read_environment(LakeSettings, environment)
        is_identical = True
        try:
            for each in rebuild_and_compare(settings, read_log, Path(folder), _show_progress):
                click.echo(_line_of(each))
                is_identical &= each.is_identical
        except (RebuildError, LakeUnavailableError) as error:
            raise click.ClickException(str(error)) from error
    if not is_identical:
        raise SystemExit(1)


def _show_progress(done: int, total: int) -> None:
    click.echo(f"rebuilt {done:,} of {total:,} events", err=True)


def _line_of(comparison: "TableComparison") -> str:
    if comparison.is_identical:
        return f"ok    {comparison.table:<{NAME_WIDTH}} identical, {comparison.count_rows:,} rows"
    return (
        f"FAIL  {comparison.table:<{NAME_WIDTH}} {comparison.count_missing:,} rows only in the"
        f" lake, {comparison.count_surplus:,} only in the rebuilt one"
    )
