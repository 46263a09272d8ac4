"""The bytes we write are the bytes Kafka's own format asks for."""

from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kafka.record import MemoryRecords, util

from ops_api.outbox import kafka_batch
from ops_api.outbox.kafka_batch import (
    PRECOMPUTED_VARINTS,
    ProducerState,
    Record,
    SlowChecksumError,
    encode_batch,
    refuse_slow_checksums,
    varint,
)

# Where a varint grows by a byte, and where our table of them ends.
SIZES_AT_EDGES = (0, 1, 63, 64, 127, 128, 8191, 8192, PRECOMPUTED_VARINTS - 1, PRECOMPUTED_VARINTS)
PRODUCER = ProducerState(7, 3)

texts = st.one_of(
    st.binary(max_size=200), st.sampled_from(SIZES_AT_EDGES).map(lambda size: b"x" * size)
)
records = st.lists(
    st.tuples(
        st.just(b"tasks"),
        st.integers(1, 10**18 - 1).map(lambda position: b"%d" % position),
        texts,
        texts,
        st.integers(0, 4_102_444_800_000),
    ),
    min_size=1,
    max_size=20,
)


def test_the_checksum_is_computed_in_c() -> None:
    refuse_slow_checksums()


def test_a_checksum_in_python_is_refused() -> None:
    with mock.patch.object(util, "crc32c_c", None), pytest.raises(SlowChecksumError):
        refuse_slow_checksums()
    with (
        mock.patch.object(kafka_batch.crc32c, "crc32c", return_value=0),
        pytest.raises(SlowChecksumError),
    ):
        refuse_slow_checksums()


@given(st.integers(-(2**63), 2**63 - 1))
@example(2**63 - 1)
@example(-(2**63))
def test_a_varint_reads_back(number: int) -> None:
    assert util.decode_varint(varint(number)) == (number, len(varint(number)))


@settings(deadline=None, max_examples=200)
@given(records, st.integers(0, 2**31 - 1))
def test_a_batch_reads_back_as_written(batch: list[Record], base_sequence: int) -> None:
    read = MemoryRecords(encode_batch(batch, PRODUCER, base_sequence)).next_batch()

    assert read.validate_crc()
    assert (read.producer_id, read.producer_epoch) == PRODUCER
    assert read.base_sequence == base_sequence
    assert read.last_offset_delta == len(batch) - 1
    assert read.max_timestamp == max(record[4] for record in batch)
    assert [
        (b"tasks", dict(each.headers)["position"], each.key, each.value, each.timestamp)
        for each in read
    ] == batch


@pytest.mark.parametrize("count", [1, 63, 64, 65, 8191, 8192, 8193])
def test_a_batch_of_any_count_reads_back(count: int) -> None:
    batch = [(b"tasks", b"%d" % number, b"k", b"v", 1_000) for number in range(1, count + 1)]

    read = MemoryRecords(encode_batch(batch, PRODUCER, 0)).next_batch()

    assert [each.offset for each in read] == list(range(count))


@pytest.mark.parametrize("size", [*SIZES_AT_EDGES, 2**20 - 1, 2**20, 5_000_000])
def test_a_value_of_any_size_reads_back(size: int) -> None:
    value = bytes(size)

    (read,) = MemoryRecords(
        encode_batch([(b"tasks", b"1", b"k", value, 0)], PRODUCER, 0)
    ).next_batch()

    assert read.value == value
