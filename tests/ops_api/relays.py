"""What relay tests do all the time: write events, let relays work, read what reached Kafka."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from kafka import KafkaConsumer, TopicPartition

from ates.embedded.kafka import KafkaServer
from contracts.environment import read_environment
from ops_api.outbox.relay import run_relay
from ops_api.settings import RelaySettings

PATIENCE_SECONDS = 60
POLL_SECONDS = 0.02
TOPICS = ("employees", "tasks", "business-days")

_INSERT = sa.text("""
insert into outbox (
    event_id, type, version, topic, subject, sequence, occurred_at, business_date, correlation_id,
    body
)
select
    uuidv7(), 'task.assigned', 1, case when i % 10 = 0 then 'employees' else 'tasks' end,
    'subject-' || i % :subjects, :first + i, timestamptz '2026-03-02 12:00Z' + i * interval '1 ms',
    date '2026-03-02', uuidv7(), format('{"n": %s, "pad": "%s"}', :first + i, repeat('x', :pad))
from generate_series(1, :count) as i
""")


@dataclass
class RelayWorld:
    """A tracker database and a broker, with no relay at work yet."""

    engine: sa.Engine
    environment: dict[str, str]
    server: KafkaServer
    count_written: int = 0

    def write(self, count: int, *, subjects: int = 17, pad: int = 200) -> None:
        """Commit so many events at once."""
        with self.engine.begin() as connection:
            self.write_in(connection, count, subjects=subjects, pad=pad)

    def write_in(
        self, connection: sa.Connection, count: int, *, subjects: int = 17, pad: int = 200
    ) -> None:
        """Write so many events in a transaction of the caller's."""
        first = self.count_written
        values = {"count": count, "subjects": subjects, "first": first, "pad": pad}
        connection.execute(_INSERT, values)
        self.count_written += count

    @contextmanager
    def relay(self, **changes: str) -> Iterator[None]:
        """A relay in a thread; its failure fails the test."""
        settings = read_environment(RelaySettings, self.environment | changes)
        stop = threading.Event()
        failures: list[BaseException] = []

        def work() -> None:
            try:
                run_relay(settings, stop.is_set)
            except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
                failures.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        assert failures == []

    @contextmanager
    def relay_process(self, before: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """A relay in a process of its own, to be killed; `before` is Python it runs first."""
        program = (
            "import os, signal, threading\n"
            "from contracts.environment import read_environment\n"
            "from ops_api.outbox import relay\n"
            "from ops_api.settings import RelaySettings\n"
            "stop = threading.Event()\n"
            "signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
            f"{before}\n"
            "relay.run_relay(read_environment(RelaySettings), stop.is_set)\n"
        )
        command = [sys.executable, "-c", program]
        process = subprocess.Popen(command, env=self.environment)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def scalar(self, query: str, **values: object) -> Any:
        """The one value of a query."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(query), values).scalar_one()

    def published(self) -> int:
        """The position up to which brokers have acknowledged."""
        return int(self.scalar("select published_position from publications"))

    def wait(self, query: str, expected: object, seconds: float = PATIENCE_SECONDS) -> None:
        """Until a query gives what is expected."""
        until = time.monotonic() + seconds
        while (found := self.scalar(query)) != expected:
            assert time.monotonic() < until, f"{query}: {found}, not {expected}"
            time.sleep(POLL_SECONDS)

    def wait_published(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Until everything written and committed is published."""
        query = "select published_position from publications"
        self.wait(query, self.count_written, seconds)

    def records(self) -> dict[TopicPartition, list[Any]]:
        """Every record in our topics, by partition, in offset order."""
        prefix = self.environment["KAFKA_TOPIC_PREFIX"]
        consumer = KafkaConsumer(**self.server.credentials("admin"))
        try:
            places = [
                TopicPartition(prefix + topic, number)
                for topic in TOPICS
                for number in consumer.partitions_for_topic(prefix + topic)
            ]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            ends: Mapping[TopicPartition, int] = consumer.end_offsets(places)
            found: dict[TopicPartition, list[Any]] = {place: [] for place in places}
            until = time.monotonic() + PATIENCE_SECONDS
            while any(consumer.position(place) < ends[place] for place in places):
                assert time.monotonic() < until
                for place, batch in consumer.poll(timeout_ms=200).items():
                    found[place] += batch
            return found
        finally:
            consumer.close()

    def check_log(self, *, may_repeat: bool = False) -> None:
        """All positions of the log are in Kafka, once, in order, as they stand in the log."""
        position_of = _position_of
        log = self._log()
        assert [row.position for row in log.values()] == list(range(1, self.count_written + 1))
        seen: set[int] = set()
        for place, batch in self.records().items():
            highest = 0
            for record in batch:
                position = position_of(record)
                is_repeat = position <= highest
                assert may_repeat or not is_repeat, f"{position} after {highest} in {place}"
                assert is_repeat or position not in seen
                highest = max(highest, position)
                seen.add(position)
                row = log[position]
                assert place.topic.endswith(row.topic)
                assert record.key == row.subject.encode()
                assert record.value == row.body.encode()
                assert record.timestamp == row.occurred_ms
        assert len(seen) == self.count_written

    def _log(self) -> dict[int, Any]:
        query = """select position, topic, subject, body,
            (extract(epoch from occurred_at) * 1000)::bigint as occurred_ms
            from event_log order by position"""
        with self.engine.connect() as connection:
            return {row.position: row for row in connection.execute(sa.text(query))}


def _position_of(record: Any) -> int:
    ((name, digits),) = record.headers
    assert name == "position"
    return int(digits)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the relay said of its state; the lines about published pages left out."""
    return [text for text in caplog.messages if not text.startswith("event=published")]
