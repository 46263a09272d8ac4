"""Reading quarantined events again: with a newer program, or after the event log was repaired.

What can be read goes into every table by the same models as if it had been good at first.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import duckdb
import pyarrow as pa

from warehouse.arrivals import all_new
from warehouse.durability import sync_new_files
from warehouse.ingest import Clock, LogRow, records_of_log, run_models, utc_now
from warehouse.lake import transaction
from warehouse.quarantine import QuarantineError, insist
from warehouse.staging import Staged, stage

# Rows of the event log at these positions, in their order.
ReadPositions = Callable[[Sequence[int]], list[LogRow]]

RECORDS_PER_RETRY = 20_000
OUTCOME = pa.schema(
    [
        ("position", pa.int64()),
        ("is_good", pa.bool_()),
        ("reason", pa.string()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True)
class RetryResult:
    """How many records were read, and how many still cannot be."""

    count_retried: int
    count_broken: int


def retry(
    connection: duckdb.DuckDBPyConnection,
    read_positions: ReadPositions,
    *,
    only: Sequence[UUID] | None = None,
    clock: Clock = utc_now,
) -> RetryResult:
    """Read the waiting records again (or `only` those of these ids), from the event log itself.

    What can be read now goes into every table as if it had been good at first, in one transaction a
    page. Raises QuarantineError when the log lacks a position, and RivalError when others kept
    changing the same rows.
    """
    waiting = _waiting(connection, only)
    result = RetryResult(0, 0)
    for start in range(0, len(waiting), RECORDS_PER_RETRY):
        page = waiting[start : start + RECORDS_PER_RETRY]
        rows = read_positions(page)
        if [row.position for row in rows] != page:
            lacking = min({*page} - {row.position for row in rows})
            raise QuarantineError(f"the event log lacks position {lacking}")
        done = insist(partial(_retry_page, connection, rows, clock))
        result = RetryResult(
            result.count_retried + done.count_retried, result.count_broken + done.count_broken
        )
    return result


def _waiting(connection: duckdb.DuckDBPyConnection, only: Sequence[UUID] | None) -> list[int]:
    rows = connection.execute(
        "select position from raw.quarantine where position is not null and settled_as is null"
        " and ($1 is null or quarantine_id in (select unnest($1::uuid[]))) order by position",
        [None if only is None else [str(each) for each in only]],
    ).fetchall()
    return [row[0] for row in rows]


def _retry_page(
    connection: duckdb.DuckDBPyConnection, rows: list[LogRow], clock: Clock
) -> RetryResult:
    now = clock()
    with transaction(connection):
        # Somebody else may have settled some of them since they were looked up.
        still = {*_waiting(connection, None)}
        rows = [row for row in rows if row.position in still]
        if not rows:
            return RetryResult(0, 0)
        staged = stage(connection, all_new(records_of_log(rows)), now)
        _refuse_doubles(connection)
        run_models(connection, staged)
        connection.execute("drop table events")
        _mark(connection, staged, now)
        sync_new_files(connection)
    return RetryResult(len(staged.good_positions), len(staged.quarantined))


def _refuse_doubles(connection: duckdb.DuckDBPyConnection) -> None:
    double = connection.execute(
        "select position from raw.events where position in (select position from events) limit 1"
    ).fetchone()
    assert double is None, f"position {double} was in quarantine and in raw.events"


def _mark(connection: duckdb.DuckDBPyConnection, staged: Staged, now: dt.datetime) -> None:
    good = [{"position": each, "is_good": True} for each in staged.good_positions.tolist()]
    broken = [{**row, "is_good": False} for row in staged.quarantined]
    connection.register("outcome", pa.Table.from_pylist([*good, *broken], schema=OUTCOME))
    try:
        changed = connection.execute(
            "update raw.quarantine set attempts = attempts + 1, attempted_at = $1,"
            " reason = coalesce(outcome.reason, quarantine.reason),"
            " detail = coalesce(outcome.detail, quarantine.detail),"
            " settled_as = if(is_good, 'retried', null), settled_at = if(is_good, $1, null)"
            " from outcome"
            " where quarantine.position = outcome.position and settled_as is null",
            [now],
        ).fetchone()
    finally:
        connection.unregister("outcome")
    assert changed == (len(good) + len(broken),), f"{changed} records marked"
