"""One round over the lake: every invariant, and how many rows each table has; no Dagster here.

The definitions of the checks are those of `ates verify`; what they find is kept in the lake.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import duckdb
import msgspec

from warehouse.catalog import count_rows, read_tables
from warehouse.checks import Check, Finding, Scope, run_check, verify
from warehouse.lake import connect, create_tables
from warehouse.results import keep_results
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker


class TookTooLongError(Exception):
    """The round was interrupted; nothing was kept."""


class Round(msgspec.Struct, frozen=True):
    """What one round saw. `row_counts` is by full table name."""

    scope: Scope
    findings: list[Finding]
    row_counts: dict[str, int]
    seconds: float


class Epochs(msgspec.Struct, frozen=True):
    """Numbers that move with every transaction that moves money: equal means unchanged.

    `settled` counts quarantined records that were read after all, or discarded.
    """

    ingest: int
    payouts: int
    settled: int


def look_around(
    lake: LakeSettings,
    database_url: str,
    checks: Sequence[Check],
    *,
    seconds_max: float | None = None,
) -> Round:
    """Run these checks at one snapshot, keep their results and count the rows of every table.

    Raises TookTooLongError after `seconds_max`, if given.
    """
    begun = monotonic()
    with connect(lake) as connection, _interrupted_after(connection, seconds_max):
        create_tables(connection)
        attach_tracker(connection, database_url)
        verification = verify(connection, checks)
        row_counts = {name: count_rows(connection, name) for name in read_tables()}
        keep_results(connection, verification.findings, checked_by="dagster")
    return Round(verification.scope, verification.findings, row_counts, monotonic() - begun)


def run_window_checks(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]
) -> list[Finding]:
    """The checks that need the lake alone, at one snapshot of it."""
    assert all(check.is_for_each_window for check in checks)
    connection.begin()
    try:
        return [run_check(connection, check) for check in checks]
    finally:
        connection.rollback()


def read_epochs(connection: duckdb.DuckDBPyConnection) -> Epochs:
    """As of now."""
    row = connection.execute(
        "select ingest.epoch, payout.epoch, (select count(settled_as) from lake.raw.quarantine)"
        " from lake.ops.ingest_state as ingest cross join lake.ops.payout_state as payout"
    ).fetchone()
    assert row is not None, "each state is one row"
    return Epochs(*row)


def read_preview(
    connection: duckdb.DuckDBPyConnection, full_name: str, order: str, rows_max: int
) -> tuple[list[str], list[tuple[object, ...]]]:
    """Column names and the first rows of a table in an order."""
    assert full_name in read_tables(), full_name
    found = connection.execute(f"from {full_name} order by {order} limit {rows_max}")
    return [column[0] for column in found.description or ()], found.fetchall()


@contextmanager
def _interrupted_after(
    connection: duckdb.DuckDBPyConnection, seconds_max: float | None
) -> Iterator[None]:
    if seconds_max is None:
        yield
        return
    timer = threading.Timer(seconds_max, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise TookTooLongError(f"interrupted after {seconds_max:.0f} seconds") from error
    finally:
        timer.cancel()
