"""Records are shared out so that order is kept and every portion fits a stock broker."""

from hypothesis import given, settings
from hypothesis import strategies as st
from kafka import TopicPartition

from ops_api.outbox.kafka_batch import RECORDS_MAX, Record
from ops_api.outbox.partitioning import (
    BATCH_BYTES_MAX,
    REQUEST_BYTES_MAX,
    Round,
    by_partition,
    rounds,
)

COUNTS = {"employees": 1, "tasks": 4}
PLACE = TopicPartition("tasks", 0)


def make(position: int, key: bytes = b"k", value: bytes = b"v", topic: bytes = b"tasks") -> Record:
    return topic, b"%06d" % position, key, value, 0


def size_of(portion: Round) -> int:
    return sum(len(record[2]) + len(record[3]) for group in portion.values() for record in group)


@given(st.lists(st.binary(min_size=1, max_size=4), max_size=60))
def test_a_key_keeps_its_partition_and_its_order(keys: list[bytes]) -> None:
    batch = [make(position, key) for position, key in enumerate(keys)]

    groups = by_partition(batch, "p.", COUNTS)

    for key in set(keys):
        homes = [place for place, group in groups.items() if any(r[2] == key for r in group)]
        assert len(homes) == 1
        positions = [record[1] for record in groups[homes[0]]]
        assert positions == sorted(positions)
    assert sorted(record[1] for group in groups.values() for record in group) == [
        record[1] for record in batch
    ]


def test_the_partition_is_the_crc32_of_the_key() -> None:
    groups = by_partition([make(1, b"123456789")], "p.", COUNTS)

    assert list(groups) == [TopicPartition("p.tasks", 0xCBF43926 % 4)]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([10, 100_000, 899_000, 901_000, 5_000_000]), max_size=30))
def test_every_portion_fits_and_nothing_changes_order(sizes: list[int]) -> None:
    keys = [b"%d" % (number % 7) for number in range(len(sizes))]
    batch = [
        make(number, key, bytes(size))
        for number, (key, size) in enumerate(zip(keys, sizes, strict=True))
    ]
    groups = by_partition(batch, "", COUNTS)

    turns = list(rounds(groups))

    for turn in turns:
        assert turn
        assert len(turn) == 1 or size_of(turn) <= REQUEST_BYTES_MAX
        for place, portion in turn.items():
            assert len(portion) == 1 or size_of({place: portion}) <= BATCH_BYTES_MAX
    for place, group in groups.items():
        assert [record for turn in turns for record in turn.get(place, ())] == list(group)


def test_a_batch_never_has_more_records_than_can_be_numbered() -> None:
    group = [make(number) for number in range(2 * RECORDS_MAX + 1)]

    counts = [len(turn[PLACE]) for turn in rounds({PLACE: group})]

    assert max(counts) <= RECORDS_MAX
    assert sum(counts) == len(group)


def test_nothing_to_send_is_no_round() -> None:
    assert list(rounds(by_partition([], "", COUNTS))) == []
