"""One Kafka record batch (format v2) made by one join, with no object per record.

`KafkaProducer.send` costs a future, a lock and a wake-up per record; a relay needs none of them,
because it waits for a whole page at once. The bytes are those of
https://kafka.apache.org/documentation/#recordbatch and kafka-python decodes them in the tests.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import crc32c
from kafka.record import util

PRECOMPUTED_VARINTS = 16_384
# A batch's records are numbered by a table of that size.
RECORDS_MAX = PRECOMPUTED_VARINTS
# Bytes of a record beside its key and value: eight short varints and the `position` header.
RECORD_OVERHEAD_BYTES = 60
# Sequence numbers are 31 bits wide and start again at zero.
SEQUENCE_MODULUS = 2**31

_MAGIC = 2
_NO_LEADER_EPOCH = -1
_ATTRIBUTES = 0  # not compressed, not transactional, time set by the producer
# From the attributes on, which is what the checksum covers.
_CHECKED_HEADER = struct.Struct(">hiqqqhii")
# Base offset, length, leader epoch, magic and checksum.
_LEADING_HEADER = struct.Struct(">qiibI")
_LENGTH_BEFORE_CHECKED = 9


# One event on its way: topic without prefix, position in digits, key, value, time in ms since 1970.
# A plain tuple, as the database driver gives it: an object for each would cost as much again.
Record = tuple[bytes, bytes, bytes, bytes, int]


class ProducerState(NamedTuple):
    """Who writes, so that the broker drops a batch it already has."""

    producer_id: int
    producer_epoch: int


class SlowChecksumError(RuntimeError):
    """The CRC-32C in use is written in Python: nine times slower than the rest together."""


def refuse_slow_checksums() -> None:
    """Raise SlowChecksumError unless checksums are computed in C, here and in kafka-python."""
    in_c = type(crc32c.crc32c).__name__ == "builtin_function_or_method"
    if not in_c or util.crc32c_c is None:
        raise SlowChecksumError("the package crc32c was installed without its C extension")


def _varint(number: int) -> bytes:
    """Zig-zag and base 128, as Kafka writes lengths and deltas."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    out = bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_VARINTS = [_varint(number) for number in range(PRECOMPUTED_VARINTS)]
_ATTRIBUTES_OF_RECORD = b"\x00"
_HEADER_NAME = b"\x02\x10position"  # one header, whose name is eight bytes long


def varint(number: int) -> bytes:
    """The zig-zag varint of any integer of 64 bits."""
    return _VARINTS[number] if 0 <= number < PRECOMPUTED_VARINTS else _varint(number)


def encode_batch(records: Sequence[Record], producer: ProducerState, base_sequence: int) -> bytes:
    """Lay out one uncompressed batch; every record carries the one header `position`.

    `records` (1 to RECORDS_MAX) go to one partition in this order. The broker fills in offsets.
    """
    count = len(records)
    assert 1 <= count <= RECORDS_MAX
    body, newest_ms = _encode_records(records)
    first_ms = records[0][4]
    fields = (_ATTRIBUTES, count - 1, first_ms, newest_ms, *producer, base_sequence, count)
    checked = _CHECKED_HEADER.pack(*fields) + body
    length = len(checked) + _LENGTH_BEFORE_CHECKED
    checksum = crc32c.crc32c(checked)
    return _LEADING_HEADER.pack(0, length, _NO_LEADER_EPOCH, _MAGIC, checksum) + checked


def _encode_records(records: Sequence[Record]) -> tuple[bytes, int]:
    """The records' bytes and their newest timestamp.

    This loop is most of what a relay costs: everything it needs is local, and what repeats from
    record to record (a bulk command has one timestamp) is computed once.
    """
    table, table_size = _VARINTS, PRECOMPUTED_VARINTS
    chunks: list[bytes] = []
    extend = chunks.extend
    first_ms = last_ms = newest_ms = records[0][4]
    start = _ATTRIBUTES_OF_RECORD + table[0]
    count_digits, header = 0, b""
    for (_, digits, key, value, timestamp_ms), delta in zip(records, table, strict=False):
        if timestamp_ms != last_ms:
            last_ms = timestamp_ms
            newest_ms = max(newest_ms, timestamp_ms)
            start = _ATTRIBUTES_OF_RECORD + varint(timestamp_ms - first_ms)
        if len(digits) != count_digits:
            count_digits = len(digits)
            header = _HEADER_NAME + table[count_digits]
        key_size, value_size = len(key), len(value)
        key_part = table[key_size] if key_size < table_size else _varint(key_size)
        value_part = table[value_size] if value_size < table_size else _varint(value_size)
        size = len(start) + len(delta) + len(key_part) + len(value_part) + len(header)
        size += key_size + value_size + count_digits
        size_part = table[size] if size < table_size else _varint(size)
        extend((size_part, start, delta, key_part, key, value_part, value, header, digits))
    return b"".join(chunks), newest_ms
