"""From records to ledger in one DuckLake transaction: all of a batch, once, or nothing of it.

drop what has arrived -> read (SQL; Python judges the odd ones) -> guard -> models -> sync -> commit

The same code serves the broker (`apply_batch`) and the log itself (`apply_missing`: healing a
broker that lost records, and building a lake anew).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import pyarrow as pa

from warehouse.arrivals import FROM_LOG, advance_partitions, close_gaps, sort_out
from warehouse.crash import crash_point
from warehouse.durability import sync_new_files
from warehouse.lake import transaction
from warehouse.models import model
from warehouse.staging import QUARANTINE_SCHEMA, Staged, stage
from warehouse.state import IngestState, Partition, advance_state, read_state

Clock = Callable[[], dt.datetime]

# What a batch looks like; `topic` without prefix, `partition` -1 for rows of the log itself.
RECORDS = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("position", pa.int64()),
        ("key", pa.binary()),
        ("value", pa.binary()),
    ]
)


@dataclass(frozen=True)
class BatchResult:
    """What one committed batch did; `state` may be handed to the next call to spare a read."""

    count_events: int
    count_duplicates: int
    count_quarantined: int
    count_judged: int
    counts_by_type: dict[str, int]
    oldest_occurred_at: dt.datetime | None
    state: IngestState

    @property
    def contiguous_position(self) -> int:
        """Every position up to here has arrived."""
        return self.state.contiguous_position

    @property
    def offsets(self) -> dict[Partition, int]:
        """Where reading goes on in each partition."""
        return self.state.next_offsets

    @property
    def lag_seconds(self) -> float:
        """Age of the batch's oldest event when it was committed; 0 without events."""
        if self.oldest_occurred_at is None:
            return 0.0
        return (self.state.committed_at - self.oldest_occurred_at).total_seconds()


@dataclass(frozen=True)
class LogRow:
    """One row of the event log, for `apply_missing`."""

    position: int
    topic: str
    body: bytes


def utc_now() -> dt.datetime:
    """The time, aware."""
    return dt.datetime.now(dt.UTC)


def apply_batch(
    connection: duckdb.DuckDBPyConnection,
    records: pa.Table,
    *,
    state: IngestState | None = None,
    clock: Clock = utc_now,
) -> BatchResult:
    """Bring a batch of records (schema RECORDS, in order within each partition) into the lake.

    Exactly once: what has arrived before is dropped and counted, whatever cannot be read goes to
    raw.quarantine. `state` is the last known one; without it it is read. Raises RivalError when
    another ingester came first; the lake is then as it was.
    """
    with transaction(connection):
        known = state if state is not None else read_state(connection)
        return _apply(connection, records, known, clock())


def apply_missing(
    connection: duckdb.DuckDBPyConnection,
    rows: Iterable[LogRow],
    *,
    state: IngestState | None = None,
    clock: Clock = utc_now,
) -> BatchResult:
    """Bring rows of the event log itself into the lake; those that had arrived are dropped.

    A broken row is quarantined under its position and counts as arrived: the log has no better one.
    """
    return apply_batch(connection, records_of_log(list(rows)), state=state, clock=clock)


def records_of_log(rows: Sequence[LogRow]) -> pa.Table:
    """Rows of the log as records that came through no partition."""
    return pa.table(
        {
            "topic": [row.topic for row in rows],
            "partition": np.full(len(rows), FROM_LOG, dtype=np.int32),
            "offset": np.full(len(rows), FROM_LOG, dtype=np.int64),
            "position": [row.position for row in rows],
            "key": [None] * len(rows),
            "value": [row.body for row in rows],
        },
        schema=RECORDS,
    )


def _apply(
    connection: duckdb.DuckDBPyConnection,
    records: pa.Table,
    old: IngestState,
    now: dt.datetime,
) -> BatchResult:
    arrivals = sort_out(records, old)
    staged = stage(connection, arrivals, now)
    new = _next_state(old, records, staged, now)
    crash_point("after-stage")
    advance_state(connection, old, new)
    run_models(connection, staged)
    count_quarantined = _quarantine(connection, staged)
    crash_point("after-models")
    connection.execute("drop table events")  # a large batch must not sit in memory until the next
    sync_new_files(connection)
    crash_point("before-commit")
    count_known = len(staged.quarantined) - count_quarantined
    return BatchResult(
        count_events=sum(staged.counts.values()),
        count_duplicates=staged.count_duplicates + count_known,
        count_quarantined=count_quarantined,
        count_judged=staged.count_judged,
        counts_by_type=staged.counts,
        oldest_occurred_at=staged.oldest_occurred_at,
        state=new,
    )


def _next_state(
    old: IngestState, records: pa.Table, staged: Staged, now: dt.datetime
) -> IngestState:
    confirmed = [row["position"] for row in staged.quarantined if row["position"] is not None]
    arrived = np.concatenate([staged.good_positions, np.array(confirmed, dtype=np.int64)])
    contiguous, pending = close_gaps(old.contiguous_position, old.pending, arrived)
    return replace(
        old,
        epoch=old.epoch + 1,
        contiguous_position=contiguous,
        last_position=max(old.last_position, int(arrived.max(initial=0))),
        committed_at=now,
        partitions=advance_partitions(old, records, staged.good_positions),
        pending=pending,
    )


def run_models(connection: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Write what the staged events say into every table, within the caller's transaction."""
    counts = staged.counts
    count_entries = counts.get("task.assigned", 0) + counts.get("task.completed", 0)
    if counts:
        _insert(connection, "raw.events", "raw_events", sum(counts.values()))
    if count_entries:
        _assert_entries_balance(connection)
        _insert(connection, "ledger.postings", "postings", 2 * count_entries)
        _insert(connection, "ledger.account_days", "account_days")
    created, completed = counts.get("task.created", 0), counts.get("task.completed", 0)
    if created:
        _insert(connection, "marts.tasks_created", "tasks_created", created)
    if completed:
        _insert(connection, "marts.dearest_tasks", "dearest_tasks")
    if created or completed:
        _insert(connection, "marts.unfinished_tasks", "unfinished_tasks")
    if created or count_entries:
        _insert(connection, "marts.task_days", "task_days")
    if rows := staged.employees.num_rows:
        connection.register("judged_employees", staged.employees)
        _insert(connection, "marts.employee_versions", "employee_versions", rows)
        connection.unregister("judged_employees")
    if rows := staged.certificates.num_rows:
        connection.register("judged_certificates", staged.certificates)
        _insert(connection, "ledger.certificates", "certificates", rows)
        connection.unregister("judged_certificates")


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, name: str, expected: int | None = None
) -> None:
    inserted = connection.execute(f"insert into {table} by name {model(name)}").fetchone()
    assert inserted is not None, "an insert tells its row count"
    assert expected is None or inserted[0] == expected, f"{table}: {inserted[0]}, not {expected}"


def _assert_entries_balance(connection: duckdb.DuckDBPyConnection) -> None:
    unbalanced = connection.execute(
        f"with batch_postings as ({model('postings')}) {model('unbalanced_entries')}"
    ).fetchone()
    assert unbalanced is None, f"entry {unbalanced} does not sum to zero over two postings"


def _quarantine(connection: duckdb.DuckDBPyConnection, staged: Staged) -> int:
    """Keep what could not be read, each record once; returns how many were new."""
    if not staged.quarantined:
        return 0
    connection.register(
        "broken", pa.Table.from_pylist(staged.quarantined, schema=QUARANTINE_SCHEMA)
    )
    try:
        connection.execute(
            # A decision about a stray record says nothing about an event of the log.
            "update raw.quarantine set position = broken.position, settled_as = null,"
            " settled_at = null, settled_by = null, settled_because = null from broken"
            " where quarantine.quarantine_id = broken.quarantine_id::uuid"
            " and quarantine.position is null and broken.position is not null"
        )
        inserted = connection.execute(
            "insert into raw.quarantine by name select distinct on (quarantine_id) * from broken"
            " where quarantine_id::uuid not in (select quarantine_id from raw.quarantine)"
        ).fetchone()
    finally:
        connection.unregister("broken")
    assert inserted is not None, "an insert tells its row count"
    return int(inserted[0])
