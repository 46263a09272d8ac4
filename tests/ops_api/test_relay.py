"""What is committed reaches Kafka: in order, completely, whoever dies in between."""

import logging
import re
import signal
from collections.abc import Iterator
from itertools import pairwise

import pytest
import sqlalchemy as sa
from kafka.record import util

from ates.embedded.kafka import KafkaServer
from contracts.environment import read_environment
from ops_api import locks
from ops_api.database import create_engine
from ops_api.outbox.kafka_batch import SlowChecksumError
from ops_api.outbox.relay import run_relay
from ops_api.settings import RelaySettings
from tests.figures import figure, growth
from tests.ops_api.relays import PATIENCE_SECONDS, RelayWorld, said

# Dies where it hurts most: the brokers have the page, the database does not know it yet.
DIE_BEFORE_MARKING = "relay._advance = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
HEAD = "select last_position from log_head"


@pytest.fixture
def world(environment: dict[str, str], kafka_server: KafkaServer) -> Iterator[RelayWorld]:
    engine = create_engine(environment["DATABASE_URL"])
    yield RelayWorld(engine, environment, kafka_server)
    engine.dispose()


def test_events_arrive_once_in_order_and_unchanged(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    counted = ("ates_relay_events_sequenced_total", "ates_relay_events_published_total")
    world.write(300)
    with growth(*counted) as grown, caplog.at_level(logging.INFO, "ates.relay"), world.relay():
        world.wait_published()
        world.write(12_000)
        world.write(1)
        world.wait_published()
        assert figure("ates_relay_is_leading") == figure("ates_relay_kafka_is_up") == 1

    world.check_log()
    assert set(grown.values()) == {12_301}
    assert figure("ates_relay_is_leading") == 0
    lines = [each.getMessage() for each in caplog.records if "event=published" in each.getMessage()]
    spans = [re.findall(r"_position=(\d+)", line) for line in lines]
    assert spans[0][0] == "1"
    assert spans[-1][1] == "12301"
    assert all(int(this[0]) == int(before[1]) + 1 for before, this in pairwise(spans))


def test_topics_are_created_with_the_partitions_of_the_settings(world: RelayWorld) -> None:
    world.write(1)
    with world.relay(KAFKA_TASK_PARTITIONS="3"):
        world.wait_published()

    prefix = world.environment["KAFKA_TOPIC_PREFIX"]
    counts: dict[str, int] = {}
    for place in world.records():
        counts[place.topic] = counts.get(place.topic, 0) + 1
    assert counts == {f"{prefix}employees": 1, f"{prefix}tasks": 3, f"{prefix}business-days": 1}


def test_a_late_commit_gets_a_later_position_and_leaves_no_hole(world: RelayWorld) -> None:
    with world.relay(), world.engine.begin() as slow:
        world.write_in(slow, 5)
        with world.engine.begin() as quick:
            world.write_in(quick, 5)
        world.wait("select published_position from publications", 5)
        first = world.scalar("select min(body) from event_log where position <= 5")
        slow.commit()
        world.wait_published()

    assert first == '{"n": 10, "pad": "' + "x" * 200 + '"}'
    world.check_log()


def test_what_is_rolled_back_never_leaves(world: RelayWorld) -> None:
    with world.relay():
        with world.engine.connect() as connection:
            world.write_in(connection, 5)
            connection.rollback()
        world.count_written = 0
        world.write(5)
        world.wait_published()

    world.check_log()


@pytest.mark.faults
def test_killed_between_sending_and_marking_it_repeats_but_loses_nothing(
    world: RelayWorld,
) -> None:
    world.write(700)
    for _ in range(2):
        with world.relay_process(DIE_BEFORE_MARKING) as process:
            assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert world.published() == 0
    world.write(700)

    with world.relay():
        world.wait_published()

    world.check_log(may_repeat=True)


@pytest.mark.faults
def test_killed_at_any_moment_it_loses_nothing(world: RelayWorld) -> None:
    for _ in range(4):
        before = world.count_written
        world.write(3000)
        with world.relay_process():
            world.wait(f"select published_position > {before} from publications", expected=True)
    with world.relay():
        world.wait_published()

    world.check_log(may_repeat=True)


@pytest.mark.faults
def test_of_two_relays_one_works_and_the_other_takes_over(world: RelayWorld) -> None:
    holders = f"""select count(*) from pg_locks
        where locktype = 'advisory' and objid = {locks.RELAY} and granted"""
    with world.relay_process() as first, world.relay_process():
        world.write(100)
        world.wait_published()
        assert world.scalar(holders) == 1
        first.kill()
        world.write(100)
        world.wait_published()
        assert world.scalar(holders) == 1

    world.check_log()


@pytest.mark.faults
def test_it_survives_the_loss_of_its_database_session(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ates.relay")
    end_sessions = f"""select count(pg_terminate_backend(pid)) from pg_locks
        where locktype = 'advisory' and objid = {locks.RELAY}"""
    with world.relay():
        for _ in range(3):
            world.write(100)
            world.wait_published()
            assert world.scalar(end_sessions) == 1
        world.write(100)
        world.wait_published()

    world.check_log(may_repeat=True)
    assert 1 <= sum("cannot use the database" in text for text in caplog.messages) <= 3


def test_a_relay_that_finds_the_position_moved_steps_back(world: RelayWorld) -> None:
    with world.relay():
        world.write(10)
        world.wait_published()
        with world.engine.begin() as connection:
            connection.execute(sa.text("update publications set published_position = 5"))
        world.wait_published()

    world.check_log(may_repeat=True)


@pytest.mark.faults
def test_sigterm_ends_it_cleanly_and_quickly(world: RelayWorld) -> None:
    world.write(10)
    with world.relay_process() as process:
        world.wait_published()
        process.terminate()

        assert process.wait(5) == 0


def test_it_says_a_thing_once(world: RelayWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ates.relay")
    with world.relay():
        for _ in range(5):
            world.write(10)
            world.wait_published()

    assert said(caplog) == ["publishing the event log", "stopped"]


def test_a_wrong_password_is_said_and_events_wait(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ates.relay")
    world.write(10)
    with world.relay(KAFKA_RELAY_PASSWORD="wrong"):
        world.wait(HEAD, 10)
        world.write(10)
        world.wait(HEAD, 20)
    assert world.published() == 0
    assert sum("events wait in the event log" in text for text in caplog.messages) == 1

    with world.relay():
        world.wait_published()

    world.check_log()


def test_a_user_without_the_right_to_write_is_refused(
    world: RelayWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ates.relay")
    world.write(10)
    other = {
        "KAFKA_RELAY_USERNAME": "ingest",
        "KAFKA_RELAY_PASSWORD": world.server.password("ingest"),
    }
    with world.relay(**other):
        world.wait(HEAD, 10)
        while not any("Kafka refuses" in text for text in caplog.messages):
            world.wait(HEAD, 10)

    assert world.published() == 0


def test_it_does_not_start_with_a_checksum_in_python(
    world: RelayWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(util, "crc32c_c", None)

    with pytest.raises(SlowChecksumError):
        run_relay(read_environment(RelaySettings, world.environment), lambda: False)
