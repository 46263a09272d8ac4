"""The embedded broker lets relay write and ingest read what is ours, and nobody anything else."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from ates.embedded import process
from ates.embedded.kafka import KafkaServer

PREFIX = "ours."
TOPIC = "ours.tasks"
FOREIGN_TOPIC = "theirs.tasks"
MEGABYTES_5 = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[process.Running]:
    """A broker whose rights are limited to PREFIX, as `ates up` starts it."""
    home = tmp_path_factory.mktemp("broker")
    (home / "secrets").mkdir()
    # One in 64 begins like an option.
    (home / "secrets" / "kafka_cluster_id").write_text("-AbCdEfGhIjKlMnOpQrStUvWxYz")
    ports = process.free_port(), process.free_port()
    server = KafkaServer(home / "server", *ports, home / "secrets", PREFIX)
    running = process.Running(server, home / "log")
    running.start()
    _create(server, "relay", TOPIC)
    _create(server, "admin", FOREIGN_TOPIC)
    for topic in (TOPIC, FOREIGN_TOPIC):
        _send(server, "admin", topic, b"there is something to read")
    yield running
    running.stop()


@pytest.fixture
def server(running: process.Running) -> KafkaServer:
    assert isinstance(running.server, KafkaServer)
    return running.server


def test_relay_writes_and_ingest_reads_a_record_of_5_megabytes(server: KafkaServer) -> None:
    value = b"x" * MEGABYTES_5
    partition, offset = _send(server, "relay", TOPIC, value)

    with _consumer(server, "ingest") as consumer:
        consumer.assign([TopicPartition(TOPIC, partition)])
        consumer.seek(TopicPartition(TOPIC, partition), offset)
        assert next(consumer).value == value


@pytest.mark.parametrize(("user", "topic"), [("ingest", TOPIC), ("relay", FOREIGN_TOPIC)])
def test_nobody_writes_without_the_right(server: KafkaServer, user: str, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        _send(server, user, topic, b"value")


@pytest.mark.parametrize(("user", "topic"), [("relay", TOPIC), ("ingest", FOREIGN_TOPIC)])
def test_nobody_reads_without_the_right(server: KafkaServer, user: str, topic: str) -> None:
    with _consumer(server, user, consumer_timeout_ms=2_000) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 0)
        # kafka-python keeps asking about a topic it may not even see, and gives nothing
        with pytest.raises((TopicAuthorizationFailedError, StopIteration)):
            next(consumer)


def test_ingest_joins_only_groups_of_ours(server: KafkaServer) -> None:
    with _consumer(server, "ingest", group_id="theirs.group") as consumer:
        consumer.subscribe([TOPIC])
        with pytest.raises(GroupAuthorizationFailedError):
            next(consumer)


def test_relay_creates_topics_of_ours_only_and_deletes_none(server: KafkaServer) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        _create(server, "relay", "theirs.other")
    with (
        contextlib.closing(KafkaAdminClient(**server.credentials("relay"))) as client,
        pytest.raises(TopicAuthorizationFailedError),
    ):
        client.delete_topics([TOPIC])


@pytest.mark.parametrize(
    "changed",
    [
        {"sasl_plain_password": "wrong"},
        {"sasl_plain_username": "nobody"},
        {"security_protocol": "PLAINTEXT"},
    ],
)
def test_strangers_are_not_let_in(server: KafkaServer, changed: dict[str, Any]) -> None:
    options = {**server.credentials("relay"), **changed, "bootstrap_timeout_ms": 3_000}

    with pytest.raises((KafkaError, OSError)):
        KafkaAdminClient(**options).list_topics()


def test_no_password_is_in_a_command_line(running: process.Running, server: KafkaServer) -> None:
    assert running.process is not None
    line = " ".join(psutil.Process(running.process.pid).cmdline())

    assert not any(file.read_text() in line for file in server.secrets.glob("*_password"))
    assert (server.folder / "server.properties").stat().st_mode & 0o777 == 0o600


def test_a_wiped_broker_comes_back_empty_with_the_same_users(
    running: process.Running, server: KafkaServer
) -> None:
    running.kill()
    shutil.rmtree(server.folder / "data")

    running.start()

    with contextlib.closing(KafkaAdminClient(**server.credentials("admin"))) as client:
        assert not [name for name in client.list_topics() if name.startswith(PREFIX)]
    _create(server, "relay", TOPIC)
    assert _send(server, "relay", TOPIC, b"value") == (0, 0)


def _create(server: KafkaServer, user: str, topic: str) -> None:
    with contextlib.closing(KafkaAdminClient(**server.credentials(user))) as client:
        client.create_topics([NewTopic(topic, 1, 1)])


def _send(server: KafkaServer, user: str, topic: str, value: bytes) -> tuple[int, int]:
    """Partition and offset of the record."""
    producer = KafkaProducer(
        acks="all",
        enable_idempotence=user == "relay",
        max_block_ms=20_000,
        max_request_size=2 * MEGABYTES_5,
        **server.credentials(user),
    )
    with contextlib.closing(producer):
        sent = producer.send(topic, value).get(30)
    return sent.partition, sent.offset


@contextlib.contextmanager
def _consumer(server: KafkaServer, user: str, **options: Any) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(
        enable_auto_commit=False,
        max_partition_fetch_bytes=2 * MEGABYTES_5,
        **{"consumer_timeout_ms": 30_000, **options},
        **server.credentials(user),
    )
    with contextlib.closing(consumer):
        yield consumer
