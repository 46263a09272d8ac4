"""Columns hold what kafka-python's own decoder reads, whatever the batches look like."""

from collections.abc import Iterable, Sequence

import crc32c
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.record import MemoryRecords, MemoryRecordsBuilder

from pipelines.ingest.columnar import COLUMNS, Chunk, decode, position_of

Headers = list[tuple[str, bytes | None]]
Row = tuple[bytes | None, bytes | None, Headers]

GZIP = 1
HEADER_BYTES = 61
BATCH_BYTES = 1 << 26
SIZES_AT_EDGES = (0, 1, 11, 12, 13, 62, 63, 64, 127, 128, 8130, 8191, 8192, 16383, 16384)

sizes = st.one_of(st.integers(0, 40), st.sampled_from(SIZES_AT_EDGES))
texts = st.one_of(st.none(), sizes.map(lambda size: bytes(range(256)) * (size // 256 + 1)))
position_headers: st.SearchStrategy[Headers] = st.integers(0, 10**18 - 1).map(
    lambda position: [("position", b"%d" % position)]
)
odd_headers: st.SearchStrategy[Headers] = st.lists(
    st.tuples(
        st.sampled_from(["position", "trace", "", "positron"]),
        st.one_of(st.none(), st.binary(max_size=25), st.just(b"12")),
    ),
    max_size=3,
)


def batch_of(rows: Sequence[Row], base_offset: int = 0, codec: int = 0) -> bytes:
    """A batch as kafka-python would write it, at an offset as a broker would set it."""
    builder = MemoryRecordsBuilder(magic=2, compression_type=codec, batch_size=BATCH_BYTES)
    for number, (key, value, headers) in enumerate(rows):
        builder.append(1_735_689_600_000 - 37 * number, key, value, headers)
    builder.close()
    raw = bytearray(builder.buffer())
    raw[:8] = base_offset.to_bytes(8, "big")  # not covered by the checksum
    return bytes(raw)


def ours(*values: bytes, base_offset: int = 0) -> bytes:
    rows: list[Row] = [
        (b"key", value, [("position", b"%d" % (base_offset + number))])
        for number, value in enumerate(values)
    ]
    return batch_of(rows, base_offset)


def rows_of(chunks: Iterable[Chunk]) -> list[dict[str, object]]:
    table = pa.Table.from_batches([chunk.rows for chunk in chunks], COLUMNS)
    table.validate(full=True)
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


def rows_by_kafka_python(buffer: bytes) -> list[dict[str, object]]:
    records = MemoryRecords(buffer)
    return [
        {
            "offset": each.offset,
            "position": position_of(each.headers),
            "key": each.key,
            "value": each.value,
        }
        for batch in records
        for each in batch
    ]


def check(batches: Sequence[Sequence[Row]], codec: int = 0) -> None:
    buffer, offset = b"", 5_000_000_000
    for rows in batches:
        buffer += batch_of(rows, offset, codec)
        offset += len(rows)

    chunks = list(decode(buffer))

    assert rows_of(chunks) == rows_by_kafka_python(buffer)
    assert chunks[-1].next_offset == offset
    assert sum(chunk.count_bytes for chunk in chunks) == len(buffer)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.lists(st.tuples(texts, texts, position_headers), min_size=1, max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_the_relays_records_decode_like_kafka_pythons(batches: list[list[Row]]) -> None:
    check(batches)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.lists(
            st.tuples(texts, texts, st.one_of(position_headers, odd_headers)),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_foreign_records_decode_like_kafka_pythons(batches: list[list[Row]]) -> None:
    check(batches)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 8191, 8192, 8193])
def test_a_batch_of_any_count_decodes(count: int) -> None:
    check([[(b"k", b"v", [("position", b"%d" % number)]) for number in range(count)]])


@pytest.mark.parametrize("size", [*SIZES_AT_EDGES, 2**20 - 1, 2**20, 5_000_000])
def test_a_value_of_any_size_decodes(size: int) -> None:
    check([[(b"k", bytes(size), [("position", b"1")]), (b"k", b"v", [("position", b"2")])]])


def test_the_relays_records_come_as_one_chunk() -> None:
    buffer = ours(b"a", b"b") + ours(b"c", base_offset=2)

    assert [chunk.rows.num_rows for chunk in decode(buffer)] == [3]


def test_a_compressed_batch_between_others_decodes_in_order() -> None:
    rows: list[Row] = [(b"k", b"v" * 500, [("position", b"1")])]
    buffer = ours(b"a") + batch_of(rows, 1, GZIP) + ours(b"b", base_offset=2)

    chunks = list(decode(buffer))

    assert [row["value"] for row in rows_of(chunks)] == [b"a", b"v" * 500, b"b"]
    assert [chunk.next_offset for chunk in chunks] == [1, 2, 3]


def test_an_incomplete_last_batch_is_left_for_the_next_fetch() -> None:
    whole = ours(b"a")

    (chunk,) = decode(whole + ours(b"b", base_offset=1)[:-1])

    assert (chunk.rows.num_rows, chunk.next_offset, chunk.count_bytes) == (1, 1, len(whole))
    assert list(decode(whole[:20])) == []


def test_a_batch_with_a_wrong_checksum_is_one_row_with_all_its_bytes() -> None:
    broken = bytearray(ours(b"b", b"c", base_offset=1))
    broken[-3] ^= 1

    chunks = list(decode(ours(b"a") + bytes(broken) + ours(b"d", base_offset=3)))

    rows = rows_of(chunks)
    assert [row["value"] for row in rows] == [b"a", bytes(broken), b"d"]
    assert [row["position"] for row in rows] == [0, None, 3]
    assert chunks[-1].next_offset == 4


def test_a_batch_in_an_unknown_codec_is_one_row_with_all_its_bytes() -> None:
    unknown = bytearray(ours(b"a"))
    unknown[22] = 7  # the codec; the checksum no longer fits either

    (row,) = rows_of(decode(bytes(unknown)))

    assert (row["offset"], row["position"], row["value"]) == (0, None, bytes(unknown))


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_no_bytes_at_all_make_it_fail(noise: bytes, index: int, byte: int) -> None:
    spoiled = bytearray(ours(b"value", b"other") + noise)
    spoiled[index % len(spoiled)] = byte

    list(decode(bytes(spoiled)))


@settings(deadline=None, max_examples=400)
@given(st.integers(HEADER_BYTES, 10_000), st.binary(min_size=1, max_size=12))
def test_no_body_with_a_right_checksum_makes_it_fail(index: int, noise: bytes) -> None:
    spoiled = bytearray(ours(b"value", b"other" * 20))
    at = HEADER_BYTES + index % (len(spoiled) - HEADER_BYTES - len(noise))
    spoiled[at : at + len(noise)] = noise
    spoiled[17:21] = crc32c.crc32c(bytes(spoiled[21:])).to_bytes(4, "big")

    (chunk,) = decode(bytes(spoiled))

    rows_of([chunk])
    assert chunk.next_offset == 2


def test_rows_before_the_offset_asked_for_are_cut_off() -> None:
    (chunk,) = decode(ours(b"a", b"b", b"c", base_offset=10))

    assert [row["value"] for row in rows_of([chunk.since(11)])] == [b"b", b"c"]
    assert chunk.since(3) is chunk
    assert rows_of([chunk.since(13)]) == []


@pytest.mark.parametrize(
    ("headers", "position"),
    [
        ([], None),
        ([("position", b"7")], 7),
        ([("trace", b"x"), ("position", b"7")], 7),
        ([("position", b"7"), ("position", b"7")], None),
        ([("position", None)], None),
        ([("position", b"")], None),
        ([("position", b"-7")], None),
        ([("position", b"7.0")], None),
        ([("position", "\u0667".encode())], None),
        ([("position", b"9" * 19)], None),
    ],
)
def test_a_position_is_ascii_digits_in_one_header(headers: Headers, position: int | None) -> None:
    assert position_of(headers) == position
