"""The oldest part of the event log, kept in the lake once its days are certified and paid.

Days are copied one by one, each in one transaction with a record of its count and SHA-256. A copy
is proven when a later look finds its rows as recorded and, as far as the log still has them, no row
on either side that the other lacks. Only then may the log let go of them.

The archive is always the log's beginning: positions 1 up to the certificate of some day.
The connection has the lake as `lake` and, to copy or to prove, the tracker as `tracker`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

from warehouse.crash import crash_point
from warehouse.durability import sync_new_files
from warehouse.ingest import Clock, LogRow, utc_now
from warehouse.lake import RivalError, transaction

# Rows of the log after the first position up to the second, in order, a page of them.
ReadPage = Callable[[int, int], list[LogRow]]

# What one call copies or proves at most, and a day more than that: bounds memory and time.
ROWS_MAX = 1_000_000
DAYS_MAX = 1_000
PAGE_ROWS = 20_000

COLUMNS = (
    "position, event_id, type, version, topic, subject, sequence, occurred_at, business_date,"
    " correlation_id, fee_cents, reward_cents, employee_id, body, recorded_at"
)
# By PostgreSQL itself, so that its index finds the rows.
_IN_LOG = "postgres_query('tracker', 'select {} from event_log {}')"
# In a log that has let go of everything, where the next event will be.
_FIRST_POSITION = "coalesce(min(position), (select last_position + 1 from log_head)) as position"
# Events of a later day may lie before a certificate that came late: then it waits for that day.
_DUE = """
with allowed as (
    select
        state.last_position as archived_position,
        least($1::date, paid_through) as last_date,
        (
            select min(position) from raw.events
            where business_date > least($1::date, paid_through) and position > state.last_position
        ) as first_too_young,
    from ops.archive_state as state cross join ops.payout_state
)

select business_date, position
from ledger.certificates cross join allowed
where business_date <= last_date
    and position > archived_position
    and (first_too_young is null or position < first_too_young)
order by business_date limit $2
"""
_RECORD = """
insert into ops.archived_days by name
select *, $2::timestamptz as copied_at from ops.archived_day_digests where business_date = $1
"""
_RECORDED = """
select first_position, last_position, count_events from ops.archived_days where business_date = $1
"""
_IN_BOTH = """
select business_date, first_position, last_position, count_events from ops.archived_days
where business_date <= $1 and last_position >= $2 order by business_date limit $3
"""
_CHANGED = """
select business_date
from ops.archived_days as recorded
left join (
    select * from ops.archived_day_digests where business_date between $1 and $2
) as found using (business_date)
where recorded.business_date between $1 and $2
    and (recorded.sha256, recorded.count_events) is distinct from (found.sha256, found.count_events)
order by business_date
"""
_UNLIKE = """
with in_archive as (
    select {columns} from raw.event_log_archive where position between {first} and {last}
),
in_log as (select {columns} from {log})
select
    (select count(*) from (from in_log except all from in_archive)) as count_only_in_log,
    (select count(*) from (from in_archive except all from in_log)) as count_only_in_archive
"""
_PAGE = """
select position, topic, body from raw.event_log_archive
where position > $1 and position <= least($2::bigint, $1 + $3) order by position
"""


class ArchiveError(RuntimeError):
    """A day cannot be copied, or a copy is not what it must be; the message says why."""


@dataclass(frozen=True)
class ArchivedDay:
    """A stretch of the log in the archive: all positions up to the certificate of this day."""

    business_date: dt.date
    first_position: int
    last_position: int
    count_events: int


def copy_due_days(
    connection: duckdb.DuckDBPyConnection, *, through: dt.date, clock: Clock = utc_now
) -> list[ArchivedDay]:
    """Copy the days up to a date that are certified, paid and not archived, oldest first.

    At most ROWS_MAX rows and DAYS_MAX days: more wait for the next call. Raises ArchiveError, and
    RivalError when another archiver was quicker.
    """
    copied: list[ArchivedDay] = []
    for day, last_position in connection.execute(_DUE, [through, DAYS_MAX]).fetchall():
        if sum(each.count_events for each in copied) >= ROWS_MAX:
            break
        copied.append(_copy(connection, day, last_position, clock()))
    return copied


def prove_copies(connection: duckdb.DuckDBPyConnection, *, through: dt.date) -> list[ArchivedDay]:
    """The days up to a date that the log may let go of: copied, proven now, and still in the log.

    Oldest first, at most ROWS_MAX rows. Raises ArchiveError for the first copy that is not right.
    """
    connection.begin()
    try:
        first_in_log = _first_position_in_log(connection)
        days: list[ArchivedDay] = []
        found = connection.execute(_IN_BOTH, [through, first_in_log, DAYS_MAX]).fetchall()
        for row in found:
            if sum(each.count_events for each in days) < ROWS_MAX:
                days.append(ArchivedDay(*row))
        if days:
            _require_unchanged(connection, days)
            _require_alike(connection, max(first_in_log, days[0].first_position), days[-1])
    finally:
        connection.rollback()
    crash_point("before-removal")
    return days


def archived_position(connection: duckdb.DuckDBPyConnection) -> int:
    """The archive has every position up to here; 0 when nothing is archived."""
    row = connection.execute("select last_position from ops.archive_state").fetchone()
    assert row is not None, "ops.archive_state must have a row"
    return int(row[0])


def read_log(
    connection: duckdb.DuckDBPyConnection, read_page: ReadPage, after: int, through: int
) -> list[LogRow]:
    """The next rows after a position up to another: from the archive, where it has them."""
    archived = min(archived_position(connection), through)
    if after < archived:
        return read_archived(connection, after, archived)
    return read_page(after, through)


def read_archived(connection: duckdb.DuckDBPyConnection, after: int, through: int) -> list[LogRow]:
    """Rows of the log from the archive, after a position up to another, a page of them."""
    rows = connection.execute(_PAGE, [after, through, PAGE_ROWS]).fetchall()
    return [LogRow(position, topic, body.encode()) for position, topic, body in rows]


def _copy(
    connection: duckdb.DuckDBPyConnection, day: dt.date, last_position: int, now: dt.datetime
) -> ArchivedDay:
    with transaction(connection):
        first_position = _advance(connection, last_position) + 1
        log = _IN_LOG.format(
            COLUMNS, f"where position between {first_position} and {last_position}"
        )
        connection.execute(
            f"insert into raw.event_log_archive by name select {COLUMNS},"  # noqa: S608 - all ours
            f" $1::date as archived_with from {log} order by position",
            [day],
        )
        connection.execute(_RECORD, [day, now])
        found = connection.execute(_RECORDED, [day]).fetchone()
        expected = (first_position, last_position, last_position - first_position + 1)
        if found != expected:
            raise ArchiveError(
                f"{day}: positions {expected[0]} to {expected[1]} are {expected[2]} events;"
                f" the event log has, first, last and count: {found}"
            )
        sync_new_files(connection)
        crash_point("before-archive-commit")
    crash_point("after-archive-commit")
    return ArchivedDay(day, *expected)


def _advance(connection: duckdb.DuckDBPyConnection, last_position: int) -> int:
    """Move the guarded row on, which stops a rival; the position up to which it was before."""
    rows = connection.execute("select epoch, last_position from ops.archive_state").fetchall()
    assert len(rows) == 1, f"ops.archive_state must have one row, not {len(rows)}"
    epoch, before = rows[0]
    changed = connection.execute(
        "update ops.archive_state set epoch = $2, last_position = $3 where epoch = $1",
        [epoch, epoch + 1, last_position],
    ).fetchone()
    if changed != (1,) or before >= last_position:
        raise RivalError(f"another archiver moved on from epoch {epoch}")
    return int(before)


def _first_position_in_log(connection: duckdb.DuckDBPyConnection) -> int:
    query = _IN_LOG.format(_FIRST_POSITION, "")
    row: Any = connection.execute(f"from {query}").fetchone()
    return int(row[0])


def _require_unchanged(connection: duckdb.DuckDBPyConnection, days: list[ArchivedDay]) -> None:
    span = [days[0].business_date, days[-1].business_date]
    changed = connection.execute(_CHANGED, span).fetchone()
    if changed is not None:
        raise ArchiveError(f"{changed[0]}: the archive does not hold what was copied")


def _require_alike(
    connection: duckdb.DuckDBPyConnection, first_position: int, last: ArchivedDay
) -> None:
    log = _IN_LOG.format(
        COLUMNS, f"where position between {first_position} and {last.last_position}"
    )
    query = _UNLIKE.format(columns=COLUMNS, log=log, first=first_position, last=last.last_position)
    found = connection.execute(query).fetchone()
    if found != (0, 0):
        raise ArchiveError(
            f"positions {first_position} to {last.last_position}: rows only in the event log and"
            f" only in the archive: {found}"
        )
