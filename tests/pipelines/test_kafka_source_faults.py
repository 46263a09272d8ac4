"""Brokers die, come back, and come back empty; the source goes on by itself."""

import time
from collections.abc import Iterator

import pytest

from contracts.environment import read_environment
from pipelines.ingest.kafka_consumer import CONNECT_SECONDS
from pipelines.ingest.kafka_source import KafkaSource
from pipelines.settings import KafkaSettings
from tests import brokers
from tests.pipelines.test_kafka_source import LINGER_SECONDS, PATIENCE_SECONDS, collect, send

pytestmark = pytest.mark.faults

SLACK_SECONDS = 2


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brokers.Broker]:
    with brokers.own_broker(tmp_path_factory.mktemp("broker")) as each:
        yield each


@pytest.fixture
def source(
    environment: dict[str, str], broker: brokers.Broker, topic_prefix: str
) -> Iterator[KafkaSource]:
    brokers.create_topics(broker.server, {f"{topic_prefix}tasks": 2})
    each = KafkaSource(read_environment(KafkaSettings, environment | broker.environment()))
    yield each
    each.close()


def test_a_broker_that_is_down_at_first_is_waited_for(
    source: KafkaSource, broker: brokers.Broker, topic_prefix: str
) -> None:
    send(broker.server, f"{topic_prefix}tasks", b"one")
    broker.kill()
    begun = time.monotonic()

    assert source.poll(LINGER_SECONDS) is None
    assert time.monotonic() - begun < LINGER_SECONDS + CONNECT_SECONDS + SLACK_SECONDS
    assert source.end_offsets() == {}

    broker.start()
    assert collect(source, 1)["value"].to_pylist() == [b"one"]


def test_a_broker_that_restarts_is_read_on_without_loss_or_repetition(
    source: KafkaSource, broker: brokers.Broker, topic_prefix: str
) -> None:
    send(broker.server, f"{topic_prefix}tasks", b"one", b"two")
    collect(source, 2)

    broker.kill()
    begun = time.monotonic()
    assert source.poll(LINGER_SECONDS) is None
    assert time.monotonic() - begun < LINGER_SECONDS + SLACK_SECONDS
    broker.start()
    send(broker.server, f"{topic_prefix}tasks", b"three")

    assert collect(source, 1)["value"].to_pylist() == [b"three"]


def test_a_wiped_broker_is_reported_and_read_from_the_beginning(
    source: KafkaSource, broker: brokers.Broker, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}tasks"
    send(broker.server, topic, b"one", b"two", b"three")
    collect(source, 3)

    broker.kill()
    broker.wipe()
    broker.start()
    assert source.poll(LINGER_SECONDS) is None
    brokers.create_topics(broker.server, {topic: 2})
    send(broker.server, topic, b"four")
    values, rewound = [], set()
    until = time.monotonic() + PATIENCE_SECONDS
    while not values and time.monotonic() < until:
        table = source.poll(LINGER_SECONDS)
        values = table["value"].to_pylist() if table is not None else []
        rewound |= set(source.rewound)

    assert values == [b"four"]
    assert rewound == {("tasks", 0)}
