"""`ates quarantine`: records that could not be read, and what is to become of them."""

import datetime as dt
import getpass
import sys
from typing import TYPE_CHECKING

import click

from ates import reach

if TYPE_CHECKING:
    import duckdb
    from rich.table import Table
    from sqlalchemy import Engine

    from warehouse.quarantine import QuarantinedRecord

ID_LENGTH = 8
LISTED_MAX = 200
WIDTH_OF_FILES = 200  # nothing is cut off in a pipe
# What the other columns take at most; below it a line has no room for the words of the fault.
WIDTH_WITH_DETAIL = 120


@click.group("quarantine")
def command() -> None:
    """Look at records that could not be read; read them again, or do without them."""


@command.command("list")
@click.option("--all", "is_all", is_flag=True, help="Settled and healed ones as well.")
def list_records(is_all: bool) -> None:
    """One row a record, newest first: those that somebody has to look at."""
    from rich.console import Console

    from warehouse.quarantine import read_quarantine

    with reach.lake_and_tracker(reach.enter_environment()) as lake:
        records = read_quarantine(lake)
    shown = [each for each in records if is_all or each.state in ("waiting", "unconfirmed")]
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    if shown:
        console.print(_table(shown[:LISTED_MAX], is_wide=console.width >= WIDTH_WITH_DETAIL))
    if len(shown) > LISTED_MAX:
        console.print(f"and {len(shown) - LISTED_MAX:,} more")
    console.print(_summary(records))


def _table(records: "list[QuarantinedRecord]", *, is_wide: bool) -> "Table":
    """Fits 80 columns; what else there is says `show`."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    titles = ["id", "state", "received", "topic", "position", "reason"]
    for title in titles:
        table.add_column(title, justify="right" if title == "position" else "left", no_wrap=True)
    if is_wide:
        table.add_column("detail", no_wrap=True, overflow="ellipsis")
    for each in records:
        row = [
            str(each.quarantine_id)[:ID_LENGTH],
            each.state,
            f"{each.received_at:%Y-%m-%d %H:%M}",
            each.topic,
            _number(each.position or each.claimed_position),
            each.reason,
        ]
        table.add_row(*row, *([escape(each.detail)] if is_wide else []))
    return table


@command.command("show")
@click.argument("record_id")
@click.option("--bytes", "is_bytes", is_flag=True, help="The record's bytes alone, as they came.")
def show_record(record_id: str, is_bytes: bool) -> None:
    """Everything about one record; the first letters of its id will do."""
    with reach.lake_and_tracker(reach.enter_environment()) as lake:
        found = _find(lake, record_id)
    if is_bytes:
        sys.stdout.buffer.write(found.record or b"")
        return
    for name in found.__struct_fields__:
        value: object = getattr(found, name)
        if name == "record":
            value = "none" if found.record is None else found.record.decode("utf-8", "replace")
        if value is not None:
            click.echo(f"{name:<17} {value}")


@command.command("retry")
@click.argument("record_ids", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every record that waits.")
def retry_records(record_ids: tuple[str, ...], is_all: bool) -> None:
    """Read waiting records again from the event log; exit 1 if one still cannot be read."""
    from functools import partial

    from pipelines.ingest.healing import read_positions
    from warehouse.quarantine import QuarantineError
    from warehouse.quarantine_retry import retry

    if is_all == bool(record_ids):
        raise click.UsageError("give ids, or --all")
    environment = reach.enter_environment()
    with reach.tracker_engine(environment) as engine, reach.lake_to_write(environment) as lake:
        chosen = [_waiting(lake, each) for each in record_ids]
        only = None if is_all else [each.quarantine_id for each in chosen]
        try:
            result = retry(lake, partial(read_positions, engine), only=only)
        except QuarantineError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"{result.count_retried:,} read, {result.count_broken:,} still cannot be read")
    if result.count_broken:
        raise SystemExit(1)


@command.command("discard")
@click.argument("record_id")
@click.option("--reason", prompt="Why is it discarded", help="Why; kept with the record.")
def discard_record(record_id: str, reason: str) -> None:
    """Do without a record: it stays in quarantine, and its day is paid without it.

    There is no way back. The decision is kept beside the event log, so that a lake built anew
    comes out the same.
    """
    environment = reach.enter_environment()
    with reach.tracker_engine(environment) as engine, reach.lake_to_write(environment) as lake:
        found = _find(lake, record_id)
        if found.state in ("retried", "discarded"):
            raise click.ClickException(f"the record is {found.state} already")
        _discard(lake, engine, found, reason)
    click.echo(f"{record_id} is discarded")


def _discard(
    lake: "duckdb.DuckDBPyConnection", engine: "Engine", found: "QuarantinedRecord", reason: str
) -> None:
    from ops_api.errors import RuleViolation
    from ops_api.outbox.discarding import discard_event
    from pipelines.ingest.healing import read_discards
    from warehouse.quarantine import QuarantineError, apply_discards, discard_stray

    who = getpass.getuser()
    try:
        if found.position is None:
            discard_stray(lake, found, reason=reason, discarded_by=who)
            return
        with engine.begin() as connection:
            discard_event(
                connection,
                position=found.position,
                reason=reason,
                discarded_by=who,
                now=dt.datetime.now(dt.UTC),
            )
    except (QuarantineError, RuleViolation) as error:
        raise click.ClickException(str(error)) from error
    apply_discards(lake, read_discards(engine))


def _find(lake: "duckdb.DuckDBPyConnection", record_id: str) -> "QuarantinedRecord":
    from warehouse.quarantine import QuarantineError, read_one

    try:
        return read_one(lake, record_id)
    except QuarantineError as error:
        raise click.ClickException(str(error)) from error


def _waiting(lake: "duckdb.DuckDBPyConnection", record_id: str) -> "QuarantinedRecord":
    found = _find(lake, record_id)
    if found.state != "waiting":
        hint = {
            "unconfirmed": "the event log does not hold it, so there is nothing to read again",
            "healed": "the event log's own record has arrived in its place",
        }
        raise click.ClickException(
            f"{record_id} is {found.state}: {hint.get(found.state, 'nothing is left to do')}"
        )
    return found


def _summary(records: list["QuarantinedRecord"]) -> str:
    counts: dict[str, int] = {}
    for each in records:
        counts[each.state] = counts.get(each.state, 0) + 1
    words = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
    return f"In quarantine: {words or 'nothing'}."


def _number(position: int | None) -> str:
    return "-" if position is None else str(position)
