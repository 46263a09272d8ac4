"""Writes whole pages of events to Kafka: one request per broker and page, awaited.

What `publish` returns from is acknowledged by every in-sync replica of every partition. While it
retries, the producer id and the sequence numbers keep a repeated batch from being stored twice;
after it has raised, a page may be in the topics already, in part or whole: duplicates, never a gap.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import TopicPartition, errors
from kafka.protocol.producer import InitProducerIdRequest, ProduceRequest

from ops_api.outbox.kafka_batch import SEQUENCE_MODULUS, ProducerState, Record, encode_batch
from ops_api.outbox.kafka_cluster import (
    REQUEST_SECONDS,
    BrokerUnavailableError,
    Cluster,
    Deadline,
    RefusedError,
    unavailable,
)
from ops_api.outbox.partitioning import Round, by_partition, rounds

PREPARE_SECONDS = 10
DELIVERY_SECONDS = 20
# Newer versions name topics by id.
PRODUCE_VERSION_MAX = 9
ALL_REPLICAS = -1

# The broker no longer knows this producer, or not where it stands: begin with a new id.
_PRODUCER_UNKNOWN = (
    errors.OutOfOrderSequenceNumberError,
    errors.UnknownProducerIdError,
    errors.InvalidProducerEpochError,
    errors.InvalidProducerIdMappingError,
)
_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_STORED = (errors.NoError, errors.DuplicateSequenceNumberError)


class BulkProducer:
    """A producer for one thread: `open`, then `publish`, at last `close`.

    `topics` names every topic, without `prefix`, and the partitions it gets if it must be created.
    All methods but `close` raise BrokerUnavailableError; then only `close` may be called.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        topics: Mapping[str, int],
        *,
        prefix: str,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._cluster = Cluster(options)
        self._topics = {prefix + topic: count for topic, count in topics.items()}
        self._prefix = prefix
        self._should_stop = should_stop
        self._partition_counts: dict[str, int] = {}
        self._producer = ProducerState(-1, -1)
        self._sequences: dict[TopicPartition, int] = {}

    def open(self) -> None:
        """Connect, create missing topics, get a producer id."""
        deadline = Deadline(PREPARE_SECONDS, self._should_stop)
        try:
            self._cluster.open()
            self._partition_counts = self._prepare_topics(deadline)
            self._renew_producer(deadline)
        except (errors.KafkaError, OSError) as error:
            raise unavailable(error) from error

    def close(self) -> None:
        """Drop the connections at once; may be called more than once and without `open`."""
        self._cluster.close()

    def publish(self, records: Sequence[Record]) -> None:
        """Write records in their order (per partition) and return when all are acknowledged.

        Tries for DELIVERY_SECONDS while brokers answer, and not at all without a broker.
        """
        try:
            for together in rounds(by_partition(records, self._prefix, self._partition_counts)):
                self._deliver(together, Deadline(DELIVERY_SECONDS, self._should_stop))
        except (errors.KafkaError, OSError) as error:
            raise unavailable(error) from error

    def _deliver(self, pending: Round, deadline: Deadline) -> None:
        """Send until every partition has said yes; only what has not is sent again."""
        while pending:
            refused: dict[TopicPartition, type[Exception]] = {}
            for partition, kind in self._send_once(pending).items():
                if kind in _STORED:
                    self._advance(partition, len(pending[partition]))
                else:
                    refused[partition] = kind
            pending = {partition: pending[partition] for partition in refused}
            if pending:
                self._split_large(pending, refused, deadline)
                self._recover(refused, deadline)

    def _split_large(
        self, pending: Round, refused: dict[TopicPartition, type[Exception]], deadline: Deadline
    ) -> None:
        """Send in halves what a broker finds too large, and take it off both lists."""
        for partition in [tp for tp, kind in refused.items() if kind in _TOO_LARGE]:
            group = pending[partition]
            if (half := len(group) // 2) == 0:
                continue
            del pending[partition], refused[partition]
            self._deliver({partition: group[:half]}, deadline)
            self._deliver({partition: group[half:]}, deadline)

    def _recover(
        self, refused: Mapping[TopicPartition, type[Exception]], deadline: Deadline
    ) -> None:
        """Do what the refusals ask for before the next attempt, or raise."""
        if not refused:
            return
        for partition, kind in refused.items():
            if kind not in _PRODUCER_UNKNOWN and not issubclass(kind, errors.RetriableError):
                raise RefusedError(f"{partition.topic}/{partition.partition}: {kind.__name__}")
        deadline.pause(next(iter(refused.values())).__name__)
        if any(kind in _PRODUCER_UNKNOWN for kind in refused.values()):
            self._renew_producer(deadline)
        is_layout_old = any(
            issubclass(kind, errors.InvalidMetadataError) for kind in refused.values()
        )
        if is_layout_old and self._prepare_topics(deadline) != self._partition_counts:
            raise BrokerUnavailableError("the number of partitions has changed")

    def _send_once(self, pending: Round) -> dict[TopicPartition, type[Exception]]:
        """One request to each leader; what became of every partition, as an error class."""
        outcome: dict[TopicPartition, type[Exception]] = {}
        by_leader: dict[int, dict[TopicPartition, bytes]] = {}
        for partition, group in pending.items():
            leader = self._cluster.leader_of(partition)
            if leader is None:
                outcome[partition] = errors.LeaderNotAvailableError
                continue
            batch = encode_batch(group, self._producer, self._sequences.get(partition, 0))
            by_leader.setdefault(leader, {})[partition] = batch
        requests = {leader: _produce_request(batches) for leader, batches in by_leader.items()}
        for leader, answer in self._cluster.exchange(requests).items():
            if isinstance(answer, Exception):
                outcome.update(dict.fromkeys(by_leader[leader], type(answer)))
            else:
                outcome.update(_outcome(answer))
        assert outcome.keys() == pending.keys()
        return outcome

    def _advance(self, partition: TopicPartition, count: int) -> None:
        after = self._sequences.get(partition, 0) + count
        self._sequences[partition] = after % SEQUENCE_MODULUS

    def _prepare_topics(self, deadline: Deadline) -> dict[str, int]:
        counts = self._cluster.prepare_topics(self._topics, deadline)
        return {topic.removeprefix(self._prefix): count for topic, count in counts.items()}

    def _renew_producer(self, deadline: Deadline) -> None:
        """Become a producer the brokers have never seen; all sequences begin at zero."""
        request = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=60_000)
        while True:
            response = self._cluster.request(request)
            kind = errors.for_code(response.error_code)
            if kind is errors.NoError:
                break
            if not issubclass(kind, errors.RetriableError):
                raise RefusedError(f"no producer id: {kind.__name__}")
            deadline.pause(kind.__name__)
        self._producer = ProducerState(response.producer_id, response.producer_epoch)
        self._sequences.clear()


def _produce_request(batches: Mapping[TopicPartition, bytes]) -> Any:
    topic_type = ProduceRequest.TopicProduceData
    partition_type = topic_type.PartitionProduceData
    by_topic: dict[str, list[Any]] = {}
    for (topic, number), batch in batches.items():
        by_topic.setdefault(topic, []).append(partition_type(index=number, records=batch))
    return ProduceRequest(
        transactional_id=None,
        acks=ALL_REPLICAS,
        timeout_ms=REQUEST_SECONDS * 1000,
        topic_data=[
            topic_type(name=topic, partition_data=partitions)
            for topic, partitions in by_topic.items()
        ],
        max_version=PRODUCE_VERSION_MAX,
    )


def _outcome(response: Any) -> dict[TopicPartition, type[Exception]]:
    return {
        TopicPartition(topic.name, partition.index): errors.for_code(partition.error_code)
        for topic in response.responses
        for partition in topic.partition_responses
    }
