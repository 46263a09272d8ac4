"""Acknowledged means stored once; every way a broker can refuse is told apart."""

from collections.abc import Iterator
from typing import Any

import kafka
import pytest
from kafka import KafkaConsumer, TopicPartition, errors
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from ates.embedded.kafka import KafkaServer
from ops_api.outbox.kafka_batch import Record
from ops_api.outbox.kafka_cluster import BrokerUnavailableError, RefusedError
from ops_api.outbox.kafka_producer import BulkProducer
from tests import brokers


@pytest.fixture
def producer(kafka_server: KafkaServer, topic_prefix: str) -> Iterator[BulkProducer]:
    each = BulkProducer(kafka_server.credentials("relay"), {"tasks": 2}, prefix=topic_prefix)
    each.open()
    yield each
    each.close()


def page(count: int, *, first: int = 1, size: int = 10, key: bytes = b"key") -> list[Record]:
    return [
        (b"tasks", b"%d" % number, key, bytes(size), 0) for number in range(first, first + count)
    ]


def positions(server: KafkaServer, topic: str) -> list[int]:
    """The positions in a topic, partition by partition."""
    found: list[Any] = []
    consumer = KafkaConsumer(**server.credentials("admin"), max_partition_fetch_bytes=1 << 23)
    places = [TopicPartition(topic, each) for each in sorted(consumer.partitions_for_topic(topic))]
    for place in places:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end = consumer.end_offsets([place])[place]
        while consumer.position(place) < end:
            for batch in consumer.poll(timeout_ms=500).values():
                found += batch
    consumer.close()
    return [int(dict(record.headers)["position"]) for record in found]


def test_a_page_is_stored_once_in_order(
    producer: BulkProducer, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    for first in (1, 5001):
        producer.publish(page(5000, first=first))

    assert positions(kafka_server, f"{topic_prefix}tasks") == list(range(1, 10_001))


def test_a_large_page_goes_in_portions(
    producer: BulkProducer, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    producer.publish(page(40, size=200_000) + page(1, first=41, size=5_000_000))

    assert positions(kafka_server, f"{topic_prefix}tasks") == list(range(1, 42))


def test_what_a_topic_finds_too_large_goes_in_halves(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}tasks"
    with brokers.admin_of(kafka_server) as admin:
        small = {"num_partitions": 1, "configs": {"max.message.bytes": "20000"}}
        admin.create_topics({topic: small}, wait_for_metadata=True)
    producer = BulkProducer(kafka_server.credentials("relay"), {"tasks": 1}, prefix=topic_prefix)
    producer.open()

    producer.publish(page(100, size=1000))
    with pytest.raises(RefusedError, match="MessageSizeTooLarge"):
        producer.publish(page(1, first=101, size=30_000))
    producer.close()

    assert positions(kafka_server, topic) == list(range(1, 101))


def test_a_batch_the_broker_already_has_counts_as_stored(
    producer: BulkProducer, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    producer.publish(page(10))
    producer._sequences.clear()  # as if the answer had been lost on the way
    producer.publish(page(10))

    assert positions(kafka_server, f"{topic_prefix}tasks") == list(range(1, 11))


def test_out_of_order_it_begins_again_as_a_new_producer(
    producer: BulkProducer, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    producer.publish(page(10))
    before = producer._producer
    for place in producer._sequences:
        producer._sequences[place] = 4711
    producer.publish(page(10, first=11))

    assert producer._producer != before
    assert positions(kafka_server, f"{topic_prefix}tasks") == list(range(1, 21))


def test_a_topic_that_grew_partitions_meanwhile_keeps_its_old_layout(
    producer: BulkProducer, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    producer.publish(page(10))
    with brokers.admin_of(kafka_server) as admin:
        admin.create_partitions({f"{topic_prefix}tasks": 4})
    producer.publish(page(10, first=11))

    assert positions(kafka_server, f"{topic_prefix}tasks") == list(range(1, 21))


def test_a_deleted_topic_with_another_layout_ends_the_producer(
    producer: BulkProducer, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}tasks"
    producer.publish(page(10))
    brokers.delete_topics(kafka_server, [topic])
    brokers.create_topics(kafka_server, {topic: 1})

    # the key may still have its partition, or it is gone: either way nothing is lost
    try:
        producer.publish(page(10, first=11))
    except BrokerUnavailableError:
        return
    assert positions(kafka_server, topic) == list(range(11, 21))


def test_nobody_there_is_said_within_seconds() -> None:
    producer = BulkProducer({"bootstrap_servers": "127.0.0.1:1"}, {"tasks": 1}, prefix="")

    with pytest.raises(BrokerUnavailableError, match="Unable to bootstrap"):
        producer.open()
    producer.close()
    producer.close()


def test_without_the_right_to_create_topics_it_is_refused(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    producer = BulkProducer(kafka_server.credentials("ingest"), {"tasks": 1}, prefix=topic_prefix)

    with pytest.raises(RefusedError, match="cannot create topic"):
        producer.open()
    producer.close()


def test_should_stop_ends_the_waiting(kafka_server: KafkaServer, topic_prefix: str) -> None:
    producer = BulkProducer(
        kafka_server.credentials("relay"),
        {"tasks": 1},
        prefix=topic_prefix,
        should_stop=lambda: True,
    )

    with pytest.raises(BrokerUnavailableError, match="gave up waiting"):
        producer.open()  # the topic is not there yet, so there is something to wait for
    producer.close()


def test_kafka_python_is_the_one_we_know() -> None:
    """We use its core, which is not its public interface: look there before raising the version."""
    assert kafka.__version__ == "3.0.12"
    net = NetworkSelector()
    manager = KafkaConnectionManager(net)
    for name in ("bootstrap", "send", "wait_for", "call_soon", "run", "close", "cluster"):
        assert hasattr(manager, name)
    for name in (
        "set_topics",
        "refresh_metadata",
        "partitions_for_topic",
        "leader_for_partition",
        "config",
        "controller",
        "unauthorized_topics",
    ):
        assert hasattr(manager.cluster, name)
    manager.close()
    net.close()


def test_kafka_python_still_tells_errors_apart_as_we_do() -> None:
    for kind in (
        errors.NotLeaderForPartitionError,
        errors.UnknownTopicOrPartitionError,
        errors.LeaderNotAvailableError,
        errors.KafkaConnectionError,
    ):
        assert issubclass(kind, errors.RetriableError)
        assert issubclass(kind, errors.InvalidMetadataError)
    for kind in (errors.NotEnoughReplicasError, errors.RequestTimedOutError):
        assert issubclass(kind, errors.RetriableError)
    for code, kind in (
        (45, errors.OutOfOrderSequenceNumberError),
        (46, errors.DuplicateSequenceNumberError),
        (59, errors.UnknownProducerIdError),
    ):
        assert errors.for_code(code) is kind
        assert not issubclass(kind, errors.RetriableError)
