"""Which record goes to which partition, and in which portions a broker accepts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from zlib import crc32

from kafka import TopicPartition

from ops_api.outbox.kafka_batch import RECORD_OVERHEAD_BYTES, RECORDS_MAX, Record

# A stock broker takes batches of 1,048,588 bytes; one larger record travels alone.
BATCH_BYTES_MAX = 900_000
# A stock broker takes requests of 100 MiB; this also bounds what one request keeps in memory.
REQUEST_BYTES_MAX = 16 * 1024 * 1024
# So a batch that is small enough never has too many records either.
assert BATCH_BYTES_MAX // RECORD_OVERHEAD_BYTES < RECORDS_MAX

# At most one batch for each partition: what one turn of requests carries.
Round = dict[TopicPartition, Sequence[Record]]


def by_partition(records: Sequence[Record], prefix: str, counts: Mapping[str, int]) -> Round:
    """Share records out; one key always goes to one partition, so its events keep their order.

    `counts` has the number of partitions by topic without prefix.
    """
    lists: dict[bytes, list[list[Record]]] = {
        topic.encode(): [[] for _ in range(count)] for topic, count in counts.items()
    }
    for record in records:
        partitions = lists[record[0]]
        partitions[crc32(record[2]) % len(partitions)].append(record)
    return {
        TopicPartition(prefix + topic.decode(), number): group
        for topic, partitions in lists.items()
        for number, group in enumerate(partitions)
        if group
    }


def rounds(groups: Mapping[TopicPartition, Sequence[Record]]) -> Iterator[Round]:
    """Portion groups by size; a partition's portions come in order, one in each round at most."""
    portions = {partition: list(_portions(group)) for partition, group in groups.items()}
    for turn in zip_longest(*portions.values()):
        together: Round = {}
        bytes_together = 0
        for partition, portion in zip(portions, turn, strict=True):
            if portion is None:
                continue
            bytes_portion = _bytes_of(portion)
            if together and bytes_together + bytes_portion > REQUEST_BYTES_MAX:
                yield together
                together, bytes_together = {}, 0
            together[partition] = portion
            bytes_together += bytes_portion
        yield together


def _bytes_of(group: Sequence[Record]) -> int:
    bytes_total = sum([len(value) + len(key) for _, _, key, value, _ in group])
    return bytes_total + RECORD_OVERHEAD_BYTES * len(group)


def _portions(group: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut a group where a batch would grow too large; most groups stay whole."""
    if _bytes_of(group) <= BATCH_BYTES_MAX:
        yield group
        return
    first = bytes_batch = 0
    for index, record in enumerate(group):
        bytes_record = _bytes_of((record,))
        if bytes_batch + bytes_record > BATCH_BYTES_MAX and index > first:
            yield group[first:index]
            first, bytes_batch = index, 0
        bytes_batch += bytes_record
    yield group[first:]
