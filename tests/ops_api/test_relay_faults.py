"""Kafka goes away, comes back, and comes back empty; the tracker and the relay go on."""

import logging
from collections.abc import Iterator

import pytest

from ops_api.database import create_engine
from tests import brokers
from tests.ops_api.relays import RelayWorld, said

pytestmark = pytest.mark.faults

COMMANDS = 1000
HEAD = "select last_position from log_head"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brokers.Broker]:
    with brokers.own_broker(tmp_path_factory.mktemp("broker")) as each:
        yield each


@pytest.fixture
def world(environment: dict[str, str], broker: brokers.Broker) -> Iterator[RelayWorld]:
    engine = create_engine(environment["DATABASE_URL"])
    yield RelayWorld(engine, environment | broker.environment(), broker.server)
    engine.dispose()


def test_kafka_down_for_a_thousand_commands_delays_but_loses_nothing(
    world: RelayWorld, broker: brokers.Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ates.relay")
    with world.relay():
        world.write(100)
        world.wait_published()

        broker.kill()
        for _ in range(COMMANDS // 2):
            world.write(2)
        world.wait(HEAD, world.count_written)
        assert world.published() == 100

        broker.start()
        world.wait_published()
        world.write(1)  # the state is said at the turn after
        world.wait_published()

    world.check_log(may_repeat=True)
    assert [text.partition(":")[0] for text in said(caplog)] == [
        "publishing the event log",
        "Kafka does not answer, events wait in the event log",
        f"up to date at position {100 + COMMANDS}",
        "stopped",
    ]


def test_kafka_down_at_the_start_is_waited_for(world: RelayWorld, broker: brokers.Broker) -> None:
    broker.kill()
    world.write(100)
    with world.relay():
        world.wait(HEAD, 100)
        broker.start()
        world.wait_published()

    world.check_log()


def test_a_broker_killed_while_pages_flow_gets_every_position(
    world: RelayWorld, broker: brokers.Broker
) -> None:
    world.write(60_000)
    with world.relay():
        world.wait("select published_position > 0 from publications", expected=True)
        broker.kill()
        broker.start()
        world.wait_published()

    world.check_log(may_repeat=True)


def test_after_a_wiped_broker_the_relay_creates_the_topics_again_and_goes_on(
    world: RelayWorld, broker: brokers.Broker
) -> None:
    with world.relay():
        world.write(100)
        world.wait_published()

        broker.kill()
        broker.wipe()
        broker.start()
        world.write(100)
        world.wait_published()

    positions = [
        int(record.headers[0][1]) for batch in world.records().values() for record in batch
    ]
    assert sorted(positions) == list(range(101, 201))


def test_topics_deleted_under_a_running_relay_are_created_again(
    world: RelayWorld, broker: brokers.Broker
) -> None:
    prefix = world.environment["KAFKA_TOPIC_PREFIX"]
    with world.relay():
        world.write(100)
        world.wait_published()
        brokers.delete_topics(broker.server, [f"{prefix}tasks", f"{prefix}employees"])
        world.write(100)
        world.wait_published()

    count_kept = sum(len(batch) for batch in world.records().values())
    assert count_kept == 100
