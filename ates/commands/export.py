"""`ates export`: one table as CSV, for another program to work with."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import click

from ates import reach

NAMES = ("events", "postings", "payouts", "balances", "employees", "tasks")


@click.command("export")
@click.argument("name", type=click.Choice(NAMES))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file instead of standard output; it appears when it is complete.",
)
def command(name: str, output: Path | None) -> None:
    """Write one table as CSV with a header: amounts in cents, times in UTC.

    Tasks and employees come from the tracker, the rest from the lake.
    """
    from warehouse.exports import write_export

    with (
        reach.lake_and_tracker(reach.enter_environment()) as connection,
        _opened(output) as file,
    ):
        count_rows = write_export(connection, name, file)
    if output is not None:
        click.echo(f"{count_rows:,} {name} in {output}", err=True)


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that takes its name only when everything is written."""
    if output is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        yield sys.stdout
        sys.stdout.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
