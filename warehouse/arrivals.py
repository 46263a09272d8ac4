"""Which records of a batch are new, and how far the log is complete: arithmetic on positions.

A record is a duplicate when its position has arrived before. Three bounds say so at constant cost,
without a search through history: the log's contiguous position, the partition's highest position,
and the few positions that arrived ahead of a gap.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.state import IngestState, Partition, PartitionState, Positions

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

NO_POSITION = 0  # positions of the log start at 1
FROM_LOG = -1  # the partition number of a record that did not come through the broker


@dataclass(frozen=True)
class Arrivals:
    """A batch, and which of its records have not arrived before.

    `repeats` are rows whose position another row of this batch has too, `firsts` those rows.
    """

    records: pa.Table
    positions: Positions  # NO_POSITION where a record has none
    is_new: Mask
    repeats: Rows
    firsts: Rows


def sort_out(records: pa.Table, state: IngestState) -> Arrivals:
    """Tell the new records from those whose position has arrived, in history or in this batch."""
    positions = positions_of(records)
    is_new = positions > state.contiguous_position
    if len(state.pending):
        is_new &= ~np.isin(positions, state.pending)
    for key, rows in rows_of_partitions(records).items():
        if key in state.partitions:
            is_new[rows] &= positions[rows] > state.partitions[key].last_position
    rows = np.flatnonzero(is_new)
    _, first, inverse = np.unique(positions[rows], return_index=True, return_inverse=True)
    firsts = rows[first][inverse]
    is_repeat = firsts != rows
    is_new[rows[is_repeat]] = False
    is_new |= positions == NO_POSITION
    return Arrivals(records, positions, is_new, rows[is_repeat], firsts[is_repeat])


def all_new(records: pa.Table) -> Arrivals:
    """A batch of which nothing has arrived before, whatever its positions."""
    nothing = np.empty(0, dtype=np.int64)
    is_new = np.ones(records.num_rows, dtype=np.bool_)
    return Arrivals(records, positions_of(records), is_new, nothing, nothing)


def positions_of(records: pa.Table) -> Positions:
    """The position of every record; NO_POSITION where there is none or it makes no sense."""
    column = records["position"].fill_null(NO_POSITION)
    return np.maximum(np.asarray(column.to_numpy(), dtype=np.int64), NO_POSITION)


def rows_of_partitions(records: pa.Table) -> dict[Partition, Rows]:
    """The row numbers of each partition, in order of arrival; none for records from the log."""
    if records.num_rows == 0:
        return {}
    topics = records["topic"].combine_chunks().dictionary_encode()
    names = topics.dictionary.to_pylist()
    numbers = records["partition"].to_numpy()
    codes = np.asarray(topics.indices.to_numpy(), dtype=np.int64)
    found = {}
    for code, name in enumerate(names):
        for number in np.unique(numbers[codes == code]).tolist():
            if number != FROM_LOG:
                found[(name, number)] = np.flatnonzero((codes == code) & (numbers == number))
    return found


def advance_partitions(
    state: IngestState, records: pa.Table, good_positions: Positions
) -> dict[Partition, PartitionState]:
    """Where reading goes on after these records; only good positions raise a watermark.

    A made-up position in a broken record must not make later events look like duplicates.
    """
    partitions = dict(state.partitions)
    offsets = records["offset"].to_numpy()
    positions = positions_of(records)
    positions = np.where(np.isin(positions, good_positions), positions, NO_POSITION)
    for key, rows in rows_of_partitions(records).items():
        before = partitions.get(key, PartitionState(0, NO_POSITION))
        partitions[key] = PartitionState(
            next_offset=int(offsets[rows[-1]]) + 1,
            last_position=max(before.last_position, int(positions[rows].max())),
        )
    return partitions


def close_gaps(contiguous: int, pending: Positions, arrived: Positions) -> tuple[int, Positions]:
    """The new contiguous position, and what is still ahead of a gap (sorted, without repeats)."""
    ahead = np.union1d(pending, arrived)
    assert len(ahead) == 0 or ahead[0] > contiguous, "only new positions can arrive"
    is_next = ahead == contiguous + 1 + np.arange(len(ahead), dtype=np.int64)
    count = len(ahead) if is_next.all() else int(np.argmin(is_next))
    return contiguous + count, ahead[count:]
