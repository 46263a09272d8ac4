"""How far the lake has come: one row that every ingest transaction moves on, first of all."""

import datetime as dt
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt

from warehouse.lake import RivalError

Positions = npt.NDArray[np.int64]
Partition = tuple[str, int]  # topic without prefix, number


@dataclass(frozen=True)
class PartitionState:
    """Where reading one partition goes on, and the highest good position it has brought."""

    next_offset: int
    last_position: int


@dataclass(frozen=True)
class IngestState:
    """The state row, and the positions that arrived ahead of a gap.

    Every position up to `contiguous_position` has arrived; `pending` holds those above it.
    """

    epoch: int
    contiguous_position: int
    last_position: int
    committed_at: dt.datetime
    partitions: dict[Partition, PartitionState]
    pending: Positions = field(repr=False)

    @property
    def next_offsets(self) -> dict[Partition, int]:
        """Where to seek to in each partition."""
        return {key: state.next_offset for key, state in self.partitions.items()}


def read_state(connection: duckdb.DuckDBPyConnection) -> IngestState:
    """The state as of the current transaction, or of now when there is none."""
    row = connection.execute(
        "select epoch, contiguous_position, last_position, committed_at, partitions"
        " from ops.ingest_state"
    ).fetchall()
    assert len(row) == 1, f"ops.ingest_state must have one row, not {len(row)}"
    epoch, contiguous, last, committed_at, partitions = row[0]
    assert contiguous <= last, "a position cannot have arrived above the last one"
    return IngestState(
        epoch=epoch,
        contiguous_position=contiguous,
        last_position=last,
        committed_at=committed_at,
        partitions={
            (each["topic"], each["partition"]): PartitionState(
                each["next_offset"], each["last_position"]
            )
            for each in partitions
        },
        pending=_read_pending(connection, contiguous) if last > contiguous else _no_positions(),
    )


def advance_state(
    connection: duckdb.DuckDBPyConnection, old: IngestState, new: IngestState
) -> None:
    """Guard of an ingest transaction: replace the row that we know, or raise RivalError."""
    assert new.epoch == old.epoch + 1, "every transaction raises the epoch by one"
    assert new.contiguous_position >= old.contiguous_position, "arrived events never leave"
    partitions = [
        {
            "topic": topic,
            "partition": number,
            "next_offset": state.next_offset,
            "last_position": state.last_position,
        }
        for (topic, number), state in sorted(new.partitions.items())
    ]
    changed = connection.execute(
        "update ops.ingest_state set epoch = $1, contiguous_position = $2, last_position = $3,"
        " committed_at = $4, partitions = $5 where epoch = $6",
        [
            new.epoch,
            new.contiguous_position,
            new.last_position,
            new.committed_at,
            partitions,
            old.epoch,
        ],
    ).fetchone()
    if changed != (1,):
        raise RivalError(f"another ingester moved on from epoch {old.epoch}")


def _read_pending(connection: duckdb.DuckDBPyConnection, contiguous: int) -> Positions:
    columns = connection.execute(
        "select position from raw.events where position > $1"
        " union all select position from raw.quarantine where position > $1"
        " order by position",
        [contiguous],
    ).fetchnumpy()
    return np.asarray(columns["position"], dtype=np.int64)


def _no_positions() -> Positions:
    return np.empty(0, dtype=np.int64)


def read_contiguous_position(connection: duckdb.DuckDBPyConnection) -> int:
    """Every position up to here has arrived."""
    row = connection.execute("select contiguous_position from ops.ingest_state").fetchone()
    assert row is not None, "ops.ingest_state must have a row"
    return int(row[0])
