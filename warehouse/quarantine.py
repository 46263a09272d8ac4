"""Records that could not be read: looking at them, reading them again, doing without them.

A record has one of five states:

waiting      the event log itself holds these bytes; the event's day is not paid without it
unconfirmed  it came through Kafka, and the log has not been asked about it, or does not hold it
healed       the same, but the log's own record for that position has arrived in its place
retried      it could be read after all; the lake is as if it had been good at first
discarded    somebody decided to do without it, and said why

Nothing is ever deleted, and nothing that arrives later waits for a quarantined record.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeVar
from uuid import UUID

import duckdb
import msgspec
import pyarrow as pa

from warehouse.durability import sync_new_files
from warehouse.ingest import Clock, utc_now
from warehouse.lake import RivalError, transaction

State = Literal["waiting", "unconfirmed", "healed", "retried", "discarded"]
T = TypeVar("T")

ATTEMPTS_MAX = 5
QUERY = Path(__file__).with_name("queries") / "quarantine.sql"
COUNT_OPEN = """
select
    count(position),
    count(*) filter (
        position is null and coalesce(claimed_position > state.contiguous_position, true)
    ),
from lake.raw.quarantine as quarantine
cross join lake.ops.ingest_state as state
where settled_as is null
"""


class QuarantinedRecord(msgspec.Struct, frozen=True):
    """One record and what has become of it; the last three fields are a discarded event's."""

    quarantine_id: UUID
    state: State
    position: int | None
    claimed_position: int | None
    topic: str
    partition: int | None
    offset: int | None
    reason: str
    detail: str
    record: bytes | None
    received_at: dt.datetime
    attempts: int
    attempted_at: dt.datetime | None
    settled_at: dt.datetime | None
    settled_by: str | None
    settled_because: str | None
    business_date: dt.date | None
    fee_cents: int | None
    reward_cents: int | None


class Discard(msgspec.Struct, frozen=True):
    """Somebody's decision to do without an event of the log, and what its day counted it as."""

    position: int
    business_date: dt.date
    fee_cents: int
    reward_cents: int
    reason: str
    discarded_by: str
    discarded_at: dt.datetime


class OpenRecords(msgspec.Struct, frozen=True):
    """How many records somebody has to look at, by their state."""

    count_waiting: int
    count_unconfirmed: int

    @property
    def count(self) -> int:
        """Of both."""
        return self.count_waiting + self.count_unconfirmed


class QuarantineError(RuntimeError):
    """What was asked for cannot be done to this record; the message says why."""


def read_quarantine(
    connection: duckdb.DuckDBPyConnection, *, prefix: str = ""
) -> list[QuarantinedRecord]:
    """All records whose id begins with `prefix`, newest first."""
    rows = connection.execute(QUERY.read_text("utf-8"), {"prefix": prefix.lower()}).fetchall()
    return [QuarantinedRecord(*row) for row in rows]


def count_open(connection: duckdb.DuckDBPyConnection) -> OpenRecords:
    """How many records somebody has to look at."""
    row = connection.execute(COUNT_OPEN).fetchone()
    assert row is not None, "count(*) gives a row"
    return OpenRecords(*row)


def read_one(connection: duckdb.DuckDBPyConnection, prefix: str) -> QuarantinedRecord:
    """The record whose id begins so; raises QuarantineError unless it is exactly one."""
    found = read_quarantine(connection, prefix=prefix)
    if len(found) != 1:
        count = "no record" if not found else f"{len(found)} records"
        raise QuarantineError(f"{count} in quarantine with an id that begins with {prefix!r}")
    return found[0]


def insist(act: Callable[[], T]) -> T:
    """What `act` returns; after a RivalError it is tried again, ATTEMPTS_MAX times in all."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return act()
        except RivalError:
            if attempt == ATTEMPTS_MAX:
                raise
    raise AssertionError("the last attempt returns or raises")


def apply_discards(connection: duckdb.DuckDBPyConnection, discards: Sequence[Discard]) -> int:
    """Mark the waiting records of these events as discarded; returns how many were.

    Doing it again changes nothing. Raises RivalError when others kept changing the same rows.
    """
    if not discards:
        return 0
    table = pa.Table.from_pylist([msgspec.structs.asdict(each) for each in discards])
    return insist(lambda: _apply_discards(connection, table))


def discard_stray(
    connection: duckdb.DuckDBPyConnection,
    record: QuarantinedRecord,
    *,
    reason: str,
    discarded_by: str,
    clock: Clock = utc_now,
) -> None:
    """Mark a record that is no event of the log as discarded; raises QuarantineError otherwise."""
    if record.state not in ("unconfirmed", "healed"):
        raise QuarantineError(f"the record is {record.state}")

    def mark() -> int:
        with transaction(connection):
            changed = connection.execute(
                "update raw.quarantine set settled_as = 'discarded', settled_at = $2,"
                " settled_by = $3, settled_because = $4"
                " where quarantine_id = $1 and settled_as is null and position is null",
                [record.quarantine_id, clock(), discarded_by, reason],
            ).fetchone()
            sync_new_files(connection)
        return int(changed[0]) if changed else 0

    if insist(mark) != 1:
        raise QuarantineError("the record has changed meanwhile; look again")


def _apply_discards(connection: duckdb.DuckDBPyConnection, discards: pa.Table) -> int:
    with transaction(connection):
        connection.register("discards", discards)
        try:
            changed = connection.execute(
                "update raw.quarantine set settled_as = 'discarded', settled_at = discarded_at,"
                " settled_by = discarded_by, settled_because = discards.reason,"
                " business_date = discards.business_date, fee_cents = discards.fee_cents,"
                " reward_cents = discards.reward_cents from discards"
                " where quarantine.position = discards.position and settled_as is null"
            ).fetchone()
        finally:
            connection.unregister("discards")
        sync_new_files(connection)
    return int(changed[0]) if changed else 0
