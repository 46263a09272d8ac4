"""`ates import`: bring a service desk's event log into the tracker."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ates import reach

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from ops_api.imports.commands import OnProgress, Options, Outcome
    from ops_api.imports.reader import Log

REFUSALS_SHOWN_MAX = 20


@click.command("import")
@click.argument("log", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file that says which column is what; examples/README.md explains it.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Draws the prices.")
@click.option("--shift-to-now", is_flag=True, help="Move all times by weeks: the log ends now.")
@click.option("--send-mail", is_flag=True, help="Tell employees of the imported days' payouts.")
@click.option("--strict", is_flag=True, help="One bad row, and nothing at all is imported.")
@click.option("--abandon", is_flag=True, help="Give up the rest of an unfinished import.")
@click.option("--now", hidden=True, help="Pretend that this is the present (ISO 8601).")
def command(
    log: Path | None,
    mapping: Path | None,
    seed: int,
    shift_to_now: bool,
    send_mail: bool,
    strict: bool,
    abandon: bool,
    now: str | None,
) -> None:
    """Import LOG, a CSV file (or .csv.gz) with one row per state change of a ticket.

    Its tickets become tasks and its workers employees, and every day of it is closed and paid.
    The same file again changes nothing; an import that was interrupted goes on where it stopped.
    """
    from rich.console import Console

    from ops_api.imports.commands import Options

    environment = reach.enter_environment()
    options = Options(
        business_timezone=environment["BUSINESS_TIMEZONE"],
        seed=seed,
        is_shifted_to_now=shift_to_now,
        is_mail_wanted=send_mail,
    )
    with reach.tracker_engine(environment) as engine:
        if abandon:
            _abandon(engine)
            return
        if log is None or mapping is None:
            raise click.UsageError("LOG and --mapping are needed")
        console = Console(highlight=False)
        import_into(engine, console, log, mapping, options, is_strict=strict, now=_moment(now))


def import_into(
    engine: "Engine",
    console: "Console",
    log_path: Path,
    mapping_path: Path,
    options: "Options",
    *,
    is_strict: bool = False,
    now: dt.datetime | None = None,
) -> "Outcome":
    """Import a log, showing progress and a report. Raises ClickException with the reason."""
    from ops_api.clock import system_clock
    from ops_api.errors import RuleViolation
    from ops_api.imports.commands import import_log
    from ops_api.imports.mapping import MappingError, read_mapping
    from ops_api.imports.reader import LogError, read_log

    begun = time.monotonic()
    try:
        mapping = read_mapping(mapping_path)
        log = read_log(log_path, mapping)
        _show_refusals(log, log_path)
        _check_strict(log, log_path, is_strict)
        with _progress_bar(console) as on_progress:
            outcome = import_log(
                engine,
                log,
                mapping,
                options,
                clock=system_clock if now is None else lambda: now,
                on_progress=on_progress,
            )
    except (MappingError, LogError, RuleViolation) as error:
        raise click.ClickException(str(error)) from error
    _show_report(console, outcome, time.monotonic() - begun)
    return outcome


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--now: {error}") from error
    if moment.tzinfo is None:
        raise click.UsageError("--now needs an offset, such as 2012-05-25T12:00:00+00:00")
    return moment.astimezone(dt.UTC)


def _abandon(engine: "Engine") -> None:
    from ops_api.clock import system_clock
    from ops_api.errors import RuleViolation
    from ops_api.imports.commands import abandon_import

    try:
        record = abandon_import(engine, clock=system_clock)
    except RuleViolation as error:
        raise click.ClickException(str(error)) from error
    if record is None:
        click.echo("No import is unfinished.")
    else:
        click.echo(f"Gave up the rest of {record.file_name}; what it wrote stays.")


def _show_refusals(log: "Log", path: Path) -> None:
    for refusal in log.refusals[:REFUSALS_SHOWN_MAX]:
        click.echo(f"{path}, line {refusal.line}: {refusal.reason}", err=True)
    if len(log.refusals) > REFUSALS_SHOWN_MAX:
        more = len(log.refusals) - REFUSALS_SHOWN_MAX
        click.echo(f"{path}: {more:,} more bad rows", err=True)


def _check_strict(log: "Log", path: Path, is_strict: bool) -> None:
    if is_strict and log.refusals:
        raise click.ClickException(f"{path}: {len(log.refusals):,} bad rows; nothing was imported")


@contextlib.contextmanager
def _progress_bar(console: "Console") -> Iterator["OnProgress"]:
    """A bar on a terminal, nothing in a log."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[day]}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        bar = progress.add_task("importing", total=None, day="")

        def on_progress(count_written: int, count_moves: int, day: str) -> None:
            progress.update(bar, completed=count_written, total=count_moves, day=day)

        yield on_progress


def _show_report(console: "Console", outcome: "Outcome", seconds: float) -> None:
    from rich.table import Table

    record = outcome.record
    tally, terms = record.tally, record.terms
    count_skipped = sum(tally.skipped.values())
    lines = [
        ("rows read", tally.count_rows),
        ("rows applied", tally.count_rows - tally.count_refused - count_skipped),
        ("rows skipped", count_skipped),
        *((f"  {reason}", count) for reason, count in sorted(tally.skipped.items())),
        ("rows refused", tally.count_refused),
        ("tasks", tally.count_tasks),
        ("assignments", tally.count_assignments),
        ("completions", tally.count_completions),
        ("employees", tally.count_employees),
        ("days closed", tally.count_days_closed),
    ]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for name, count in lines:
        table.add_row(name, f"{count:,}")
    console.print(_headline(outcome, seconds))
    console.print(table)
    mail = "mail wanted" if terms.is_mail_wanted else "no mail"
    console.print(
        f"seed {terms.seed}, moved by {terms.shift_weeks} weeks, "
        f"days in {terms.business_timezone}, {mail}"
    )


def _headline(outcome: "Outcome", seconds: float) -> str:
    record = outcome.record
    if record.abandoned_at is not None:
        return f"{record.file_name} was given up on {record.abandoned_at:%Y-%m-%d}; nothing done."
    if not outcome.has_written:
        return f"{record.file_name} was imported on {record.finished_at:%Y-%m-%d}; nothing to do."
    rate = record.tally.count_rows / max(seconds, 0.001)
    return f"Imported {record.file_name} in {seconds:.1f} s ({rate:,.0f} rows/s)."
