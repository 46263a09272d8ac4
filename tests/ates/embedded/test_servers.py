"""The embedded servers serve whom they should and nobody else."""

import contextlib

import psycopg2
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import (
    TopicAuthorizationFailedError,
)

from ates.embedded.kafka import KafkaServer
from ates.embedded.postgres import PostgresServer


def test_our_role_owns_the_three_databases(postgres_server: PostgresServer) -> None:
    for database in ("tracker", "lake", "dagster"):
        url = postgres_server.url(database).replace("+psycopg2", "")
        with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("create temp table t as select uuidv7() as id")
            cursor.execute("select count(*) from t")
            assert cursor.fetchone() == (1,)


def test_a_wrong_database_password_is_refused(postgres_server: PostgresServer) -> None:
    url = f"postgresql://ates:wrong@127.0.0.1:{postgres_server.port}/tracker"

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url)


def test_relay_writes_and_ingest_reads(kafka_server: KafkaServer, topic_prefix: str) -> None:
    topic = f"{topic_prefix}tasks"
    _create(kafka_server, "relay", topic)

    _send(kafka_server, "relay", topic)

    consumer = KafkaConsumer(
        topic,
        auto_offset_reset="earliest",
        consumer_timeout_ms=10_000,
        enable_auto_commit=False,
        **kafka_server.credentials("ingest"),
    )
    with contextlib.closing(consumer):
        assert next(consumer).value == b"value"


def test_ingest_may_not_write(kafka_server: KafkaServer, topic_prefix: str) -> None:
    topic = f"{topic_prefix}tasks"
    _create(kafka_server, "relay", topic)

    with pytest.raises(TopicAuthorizationFailedError):
        _send(kafka_server, "ingest", topic, is_idempotent=False)


def _create(server: KafkaServer, user: str, topic: str) -> None:
    with contextlib.closing(KafkaAdminClient(**server.credentials(user))) as client:
        client.create_topics([NewTopic(topic, 1, 1)])


def _send(server: KafkaServer, user: str, topic: str, *, is_idempotent: bool = True) -> None:
    producer = KafkaProducer(
        acks="all", enable_idempotence=is_idempotent, max_block_ms=5_000, **server.credentials(user)
    )
    with contextlib.closing(producer):
        producer.send(topic, b"value", headers=[("position", b"1")]).get(10)
