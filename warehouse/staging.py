"""Turns the new records of a batch into the temporary table `events`, typed and in newest version.

SQL reads them all at once; the few it does not recognise byte for byte are judged in Python.
"""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from contracts.registry import BrokenEventError
from warehouse.arrivals import FROM_LOG, NO_POSITION, Arrivals, Mask, Rows
from warehouse.judge import RECORD_BYTES_MAX, Judged, Record, Row, judge, quarantine_row
from warehouse.models import model
from warehouse.state import Positions

# One record batch is scanned by one thread, so Arrow must come in several.
CHUNKS_MIN = 8
CHUNK_ROWS_MIN = 2048

_TEXT, _TIME, _BIGINT = pa.string(), pa.timestamp("us", "UTC"), pa.int64()
EVENT_SCHEMA = pa.schema(
    [
        ("position", _BIGINT),
        ("event_id", _TEXT),
        ("type", _TEXT),
        ("version", pa.int16()),
        ("subject", _TEXT),
        ("sequence", pa.int32()),
        ("occurred_at", _TIME),
        ("business_date", pa.date32()),
        ("correlation_id", _TEXT),
        ("data", _TEXT),
        ("task_id", _TEXT),
        ("person_id", _TEXT),
        ("title", _TEXT),
        ("jira_id", _TEXT),
        ("external_id", _TEXT),
        ("fee_cents", _BIGINT),
        ("reward_cents", _BIGINT),
    ]
)
EMPLOYEE_SCHEMA = pa.schema(
    [
        ("employee_id", _TEXT),
        ("sequence", pa.int32()),
        ("external_id", _TEXT),
        ("name", _TEXT),
        ("email", _TEXT),
        ("role", _TEXT),
        ("is_active", pa.bool_()),
        ("position", _BIGINT),
    ]
)
CERTIFICATE_SCHEMA = pa.schema(
    [
        ("business_date", pa.date32()),
        ("last_position", _BIGINT),
        ("count_events", _BIGINT),
        ("fees_cents", _BIGINT),
        ("rewards_cents", _BIGINT),
        ("is_mail_wanted", pa.bool_()),
        ("position", _BIGINT),
        ("closed_at", _TIME),
    ]
)
QUARANTINE_SCHEMA = pa.schema(
    [
        ("quarantine_id", _TEXT),
        ("position", _BIGINT),
        ("claimed_position", _BIGINT),
        ("topic", _TEXT),
        ("partition", pa.int32()),
        ("offset", _BIGINT),
        ("reason", _TEXT),
        ("detail", _TEXT),
        ("record", pa.binary()),
        ("received_at", _TIME),
        ("attempts", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Staged:
    """What `events` now holds, and what could not be read.

    `employees` and `certificates` are Arrow tables for the models of these rare types.
    """

    counts: dict[str, int]  # rows of `events` by type
    oldest_occurred_at: dt.datetime | None
    good_positions: Positions
    count_judged: int  # events that Python had to read; many of them make ingest slow
    count_duplicates: int
    employees: pa.Table
    certificates: pa.Table
    quarantined: list[Row]


@dataclass
class _Verdicts:
    received_at: dt.datetime
    judged: list[Judged] = field(default_factory=list)
    quarantined: list[Row] = field(default_factory=list)

    def add(self, record: Record) -> None:
        try:
            self.judged.append(judge(record))
        except BrokenEventError as error:
            row = quarantine_row(record, error.reason, error.detail, self.received_at)
            self.quarantined.append(row)

    @property
    def positions(self) -> Positions:
        return np.array([each.event["position"] for each in self.judged], dtype=np.int64)


def stage(
    connection: duckdb.DuckDBPyConnection, arrivals: Arrivals, received_at: dt.datetime
) -> Staged:
    """Fill the temporary table `events` from the new records of a batch."""
    suspects = _read_with_sql(connection, arrivals)
    verdicts = _Verdicts(received_at)
    for row in suspects.tolist():
        verdicts.add(_record_at(arrivals, row))
    is_clean = arrivals.is_new.copy()
    is_clean[suspects] = False
    count_repeats = _settle_repeats(arrivals, arrivals.positions[is_clean], verdicts)
    if len(suspects) or verdicts.judged:
        _replace_suspects(connection, verdicts.judged)
    counts, oldest = _count_events(connection)
    employees = [each.employee for each in verdicts.judged if each.employee]
    certificates = [each.certificate for each in verdicts.judged if each.certificate]
    count_known = len(arrivals.is_new) - int(arrivals.is_new.sum()) - len(arrivals.repeats)
    return Staged(
        counts=counts,
        oldest_occurred_at=oldest,
        good_positions=np.concatenate([arrivals.positions[is_clean], verdicts.positions]),
        count_judged=len(verdicts.judged),
        count_duplicates=count_known + count_repeats,
        employees=_table(employees, EMPLOYEE_SCHEMA),
        certificates=_table(certificates, CERTIFICATE_SCHEMA),
        quarantined=verdicts.quarantined,
    )


def _settle_repeats(arrivals: Arrivals, clean_positions: Positions, verdicts: _Verdicts) -> int:
    """Decide about records that share a position; returns how many are mere duplicates.

    The same bytes again are a duplicate. Other bytes under a taken position are junk that must not
    get lost, or the real event behind junk that made its position up.
    """
    count_duplicates = 0
    if len(arrivals.repeats) == 0:
        return count_duplicates
    taken = set(clean_positions.tolist()) | set(verdicts.positions.tolist())
    values = arrivals.records["value"]
    for row, first in zip(arrivals.repeats.tolist(), arrivals.firsts.tolist(), strict=True):
        position = int(arrivals.positions[row])
        if values[row].as_py() == values[first].as_py() or position in taken:
            count_duplicates += 1
        else:
            count_before = len(verdicts.judged)
            verdicts.add(_record_at(arrivals, row))
            if len(verdicts.judged) > count_before:
                taken.add(position)
    return count_duplicates


def _read_with_sql(connection: duckdb.DuckDBPyConnection, arrivals: Arrivals) -> Rows:
    """Let SQL read every new record that has a chance; the row numbers of all other new ones."""
    values = arrivals.records["value"]
    body, is_text = _texts(values)
    is_readable = (
        arrivals.is_new
        & is_text
        & (_lengths(values) <= RECORD_BYTES_MAX)
        & (arrivals.positions != NO_POSITION)
    )
    table = pa.table(
        {
            "ordinal": np.arange(len(body), dtype=np.int64),
            "position": arrivals.positions,
            "is_readable": is_readable,
            "body": body,
        }
    )
    chunk_rows = max(CHUNK_ROWS_MIN, table.num_rows // CHUNKS_MIN)
    chunked = pa.Table.from_batches(table.to_batches(max_chunksize=chunk_rows), table.schema)
    connection.register("arrivals", chunked)
    try:
        connection.execute(
            f"create or replace temp table events as"
            f" with recognised as ({model('recognised')}) from ({model('events')})"
        )
    finally:
        connection.unregister("arrivals")
    unclean = connection.execute("select ordinal from events where not is_clean").fetchnumpy()
    hopeless = np.flatnonzero(arrivals.is_new & ~is_readable)
    return np.sort(np.concatenate([hopeless, np.asarray(unclean["ordinal"], dtype=np.int64)]))


def _texts(values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Mask]:
    """The values as text without copying them, and which of them are text at all."""
    kind = pa.string_view() if values.type == pa.binary_view() else pa.string()
    try:
        return values.cast(kind), np.ones(len(values), dtype=np.bool_)
    except pa.ArrowInvalid:
        texts = [_text_or_none(value) for value in values.to_pylist()]
        is_text = np.array([text is not None for text in texts], dtype=np.bool_)
        return pa.chunked_array([pa.array(texts, _TEXT)]), is_text


def _text_or_none(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _lengths(values: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """The size of each value in bytes; more than allowed for null."""
    if values.type != pa.binary_view():
        filled = pc.fill_null(pc.binary_length(values), RECORD_BYTES_MAX + 1)
        return np.asarray(filled.to_numpy(), dtype=np.int64)
    lengths = [np.empty(0, dtype=np.int64)]
    for chunk in values.chunks:
        # A view is 16 bytes, of which the first four are the length; Arrow has no kernel for it.
        views = np.frombuffer(chunk.buffers()[1], dtype=np.int32).reshape(-1, 4)
        own = views[chunk.offset : chunk.offset + len(chunk), 0].astype(np.int64)
        own[chunk.is_null().to_numpy(zero_copy_only=False)] = RECORD_BYTES_MAX + 1
        lengths.append(own)
    return np.concatenate(lengths)


def _record_at(arrivals: Arrivals, row: int) -> Record:
    names = ("topic", "partition", "offset", "position", "key", "value")
    topic, partition, offset, position, key, value = (
        arrivals.records[name][row].as_py() for name in names
    )
    if partition == FROM_LOG:
        partition = offset = None
    return Record(topic, partition, offset, position, key, value)


def _replace_suspects(connection: duckdb.DuckDBPyConnection, judged: list[Judged]) -> None:
    connection.execute("delete from events where not is_clean")
    if judged:
        connection.register("judged", _table([each.event for each in judged], EVENT_SCHEMA))
        try:
            connection.execute("insert into events by name select *, true as is_clean from judged")
        finally:
            connection.unregister("judged")


def _count_events(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[dict[str, int], dt.datetime | None]:
    rows = connection.execute(
        "select type, count(*), min(occurred_at) from events group by type"
    ).fetchall()
    return {name: count for name, count, _ in rows}, min((row[2] for row in rows), default=None)


def _table(rows: list[Any], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)
