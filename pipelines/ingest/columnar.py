"""Kafka's record batches decoded straight into Arrow columns, with no object per record.

The relay's batches are alike: format v2, not compressed, each record with the one header
`position`. A run of them is decoded by numpy over the whole fetch, and the values stay where they
are, in the fetch buffer. Everything else goes through kafka-python's own decoder, batch by batch.
What neither can read becomes one row without position that holds the batch's bytes, so a broken
batch ends in quarantine and never stops a partition.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from kafka import errors
from kafka.record import MemoryRecords
from kafka.record.util import calc_crc32c

POSITION_HEADER = "position"
# Digits that always fit into 64 bits with a sign.
POSITION_DIGITS_MAX = 18
# A varint of 64 bits; more bytes than that are not a varint.
VARINT_BYTES_MAX = 10
VIEW_INLINE_BYTES = 12

COLUMNS = pa.schema(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("position", pa.int64()),
        pa.field("key", pa.binary()),
        pa.field("value", pa.binary_view()),
    ]
)

_HEADER = struct.Struct(">qiibIhiqqqhii")
_LENGTH_FROM = 12  # a batch's length counts from here
_CHECKED_FROM = 21
_MAGIC = 2
_COMPRESSED = 0x07
_CONTROL = 0x20
# One header, its name of eight bytes, then its value; a record ends there.
_POSITION_START = np.frombuffer(b"\x02\x10" + POSITION_HEADER.encode(), np.uint8)

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


class UnusualRecordError(ValueError):
    """A run of batches is not of the relay's making: decode it the slow way."""


class Chunk(NamedTuple):
    """Some consecutive records of one partition; `rows` has COLUMNS."""

    rows: pa.RecordBatch
    next_offset: int
    leader_epoch: int
    count_bytes: int

    def since(self, offset: int) -> "Chunk":
        """Without the rows before this offset; a batch may begin before what was asked for."""
        offsets = self.rows.column("offset").to_numpy()
        first = int(np.searchsorted(offsets, offset))
        return self._replace(rows=self.rows.slice(first)) if first else self


class _Batch(NamedTuple):
    """Where one batch lies in the buffer and what its header says."""

    start: int
    end: int
    base_offset: int
    leader_epoch: int
    magic: int
    checksum: int
    attributes: int
    last_delta: int
    count_records: int

    @property
    def next_offset(self) -> int:
        return self.base_offset + max(self.last_delta, 0) + 1


def decode(buffer: bytes | bytearray | memoryview) -> Iterator[Chunk]:
    """Every whole batch of a fetched buffer, in order; an incomplete last one is left out.

    The rows point into `buffer`, which must not change afterwards.
    """
    run: list[_Batch] = []
    for batch in _batches(buffer):
        if _is_plain(buffer, batch):
            run.append(batch)
            continue
        if run:
            yield from _decode_run(buffer, run)
            run = []
        yield _decode_slowly(buffer, batch)
    if run:
        yield from _decode_run(buffer, run)


def _batches(buffer: bytes | bytearray | memoryview) -> Iterator[_Batch]:
    position = 0
    while len(buffer) - position >= _HEADER.size:
        base, length, epoch, magic, checksum, attributes, last, *_, count = _HEADER.unpack_from(
            buffer, position
        )
        end = position + _LENGTH_FROM + length
        if length < _HEADER.size - _LENGTH_FROM or end > len(buffer):
            return
        yield _Batch(position, end, base, epoch, magic, checksum, attributes, last, count)
        position = end


def _is_plain(buffer: bytes | bytearray | memoryview, batch: _Batch) -> bool:
    if (
        batch.magic != _MAGIC
        or batch.attributes & (_COMPRESSED | _CONTROL)
        or batch.count_records < 1
    ):
        return False
    checked = memoryview(buffer)[batch.start + _CHECKED_FROM : batch.end]
    return bool(calc_crc32c(checked) == batch.checksum)


def _decode_run(buffer: bytes | bytearray | memoryview, run: list[_Batch]) -> Iterator[Chunk]:
    try:
        rows = _decode_columns(buffer, run)
    except (UnusualRecordError, IndexError):
        yield from (_decode_slowly(buffer, batch) for batch in run)
        return
    last = run[-1]
    yield Chunk(rows, last.next_offset, last.leader_epoch, last.end - run[0].start)


def _decode_columns(buffer: bytes | bytearray | memoryview, run: list[_Batch]) -> pa.RecordBatch:
    """All records of the run at once; UnusualRecordError or IndexError if one is not like ours."""
    array = np.frombuffer(buffer, np.uint8)
    places = np.array([place for batch in run for place in _hop(buffer, batch)], np.int64)
    size, start = _varints(array, places)
    base = np.repeat([batch.base_offset for batch in run], [batch.count_records for batch in run])
    _, at = _varints(array, start + 1)  # the time; 1 skips the attributes
    delta, at = _varints(array, at)
    key_size, key_at = _varints(array, at)
    value_size, value_at = _varints(array, key_at + np.maximum(key_size, 0))
    position = _positions(array, value_at + np.maximum(value_size, 0), start + size)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(base + delta),
            pa.array(position),
            _view(buffer, key_at, key_size).cast(pa.binary()),
            _view(buffer, value_at, value_size),
        ],
        schema=COLUMNS,
    )


def _hop(buffer: bytes | bytearray | memoryview, batch: _Batch) -> list[int]:
    """Find where each record begins: the only loop in Python, hence its two shortcuts."""
    places = [0] * batch.count_records
    position = batch.start + _HEADER.size
    for index in range(batch.count_records):
        places[index] = position
        byte = buffer[position]
        if byte < 128:
            position += 1 + (byte >> 1)
            continue
        second = buffer[position + 1]
        if second < 128:
            position += 2 + ((byte & 127 | second << 7) >> 1)
            continue
        number, shift, position = byte & 127 | (second & 127) << 7, 14, position + 2
        while True:
            byte = buffer[position]
            position += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        position += number >> 1
    if position != batch.end:
        raise UnusualRecordError("the records do not fill the batch")
    return places


def _varints(array: Bytes, at: Numbers) -> tuple[Numbers, Numbers]:
    """Read a zig-zag varint at each place; gives the numbers and the places after them."""
    byte = array[at].astype(np.int64)
    number = byte & 127
    after = at + 1
    unfinished = np.flatnonzero(byte > 127)
    for length in range(1, VARINT_BYTES_MAX):
        if not unfinished.size:
            return (number >> 1) ^ -(number & 1), after
        byte = array[after[unfinished]].astype(np.int64)
        number[unfinished] |= (byte & 127) << (7 * length)
        after[unfinished] += 1
        unfinished = unfinished[byte > 127]
    raise UnusualRecordError("a number is too long")


def _positions(array: Bytes, at: Numbers, end: Numbers) -> Numbers:
    """Read the header `position` at each place, where it must be the last thing of its record."""
    if not (array[at[:, None] + np.arange(len(_POSITION_START))] == _POSITION_START).all():
        raise UnusualRecordError("other headers than ours")
    count_digits, digits_at = _varints(array, at + len(_POSITION_START))
    if (count_digits < 1).any() or (count_digits > POSITION_DIGITS_MAX).any():
        raise UnusualRecordError("not a position")
    if (digits_at + count_digits != end).any():
        raise UnusualRecordError("a record goes on after its header")
    position = np.zeros(len(at), np.int64)
    for index in range(int(count_digits.max())):
        has_digit = index < count_digits
        digit = array[np.where(has_digit, digits_at + index, 0)].astype(np.int64) - ord("0")
        if ((digit < 0) | (digit > 9))[has_digit].any():
            raise UnusualRecordError("not a position")
        position = np.where(has_digit, position * 10 + digit, position)
    return position


def _view(buffer: bytes | bytearray | memoryview, at: Numbers, size: Numbers) -> pa.Array:
    """An Arrow view of pieces of the buffer, null where the size is -1; copies only short ones.

    https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout
    """
    if (size < -1).any():
        raise UnusualRecordError("a negative size")
    array = np.frombuffer(buffer, np.uint8)
    views = np.zeros((len(at), 4), np.int32)
    views[:, 0] = np.maximum(size, 0)
    views[:, 3] = at
    as_bytes = views.view(np.uint8).reshape(len(at), 16)
    prefix = np.arange(4)
    is_long = size > VIEW_INLINE_BYTES
    as_bytes[is_long, 4:8] = array[at[is_long, None] + prefix]
    if not is_long.all():
        short = np.flatnonzero(~is_long)
        index = np.arange(VIEW_INLINE_BYTES)
        is_inside = index < size[short, None]
        pieces = array[np.where(is_inside, at[short, None] + index, 0)]
        as_bytes[short, 4:] = np.where(is_inside, pieces, 0)
    valid = pa.array(size >= 0).buffers()[1] if (size < 0).any() else None
    return pa.Array.from_buffers(
        pa.binary_view(), len(at), [valid, pa.py_buffer(views), pa.py_buffer(buffer)]
    )


def _decode_slowly(buffer: bytes | bytearray | memoryview, batch: _Batch) -> Chunk:
    """One batch by kafka-python; its bytes as one row when that cannot read it either."""
    raw = bytes(memoryview(buffer)[batch.start : batch.end])
    try:
        rows = _rows_of(raw)
    except (errors.KafkaError, ValueError, IndexError, struct.error, UnicodeDecodeError):
        rows = [(batch.base_offset, None, None, raw)]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, COLUMNS, strict=True)]
    table = pa.RecordBatch.from_arrays(arrays, schema=COLUMNS)
    # before v2 the header did not say where a batch ends
    next_offset = batch.next_offset if batch.magic == _MAGIC else rows[-1][0] + 1
    return Chunk(table, next_offset, batch.leader_epoch, len(raw))


def _rows_of(raw: bytes) -> list[tuple[int, int | None, bytes | None, bytes | None]]:
    batch = MemoryRecords(raw).next_batch()
    if not batch.validate_crc():
        raise errors.CorruptRecordError
    if getattr(batch, "is_control_batch", False):
        return []
    return [
        (record.offset, position_of(record.headers), record.key, record.value) for record in batch
    ]


def position_of(headers: list[tuple[str, bytes | None]]) -> int | None:
    """The number in the one header `position`; None when there is none, several or no number."""
    values = [value for name, value in headers if name == POSITION_HEADER]
    if len(values) != 1 or values[0] is None or not values[0].isdigit():
        return None
    return int(values[0]) if len(values[0]) <= POSITION_DIGITS_MAX else None
