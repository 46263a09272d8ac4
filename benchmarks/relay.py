"""How fast events get from PostgreSQL to Kafka, and from Kafka to columns, beside the usual way.

The usual relay claims rows with SKIP LOCKED, sends each with `KafkaProducer.send` and marks it; the
usual consumer loops over `KafkaConsumer.poll`. Both are tuned (large batches, checksums in C).
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from zlib import crc32

import sqlalchemy as sa
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from benchmarks.ratio import Ratio, compare
from benchmarks.servers import Servers, servers
from contracts.environment import read_environment
from ops_api.database import create_engine
from ops_api.outbox.relay import Relay, open_session
from ops_api.outbox.sequencer import move_committed
from ops_api.settings import RelaySettings
from pipelines.ingest.kafka_source import KafkaSource
from pipelines.settings import KafkaSettings

EVENTS = 30_000
READ_EVENTS = 5 * EVENTS
SUBJECTS = 5_000
# With its envelope a task.assigned has about 500 bytes.
BODY_BYTES = 500
CLAIM_ROWS = 1_000
POLL_RECORDS = 5_000
PARTITIONS = 4
RELAY_GOAL = 8.0
WHOLE_GOAL = 1.0
CONSUME_GOAL = 2.5

_EVENTS = f"""
    select
        'tasks' as topic, md5((i % {SUBJECTS})::text)::uuid::text as subject,
        rpad('{{"n": ' || i, {BODY_BYTES}, 'x') as body, i
    from generate_series(1, :count) as i
"""
_OUTBOX = sa.text(f"""
    insert into outbox (
        event_id, type, version, topic, subject, sequence, occurred_at, business_date,
        correlation_id, body
    )
    select
        uuidv7(), 'task.assigned', 1, topic, subject, :turn * 100000000 + i, now(), current_date,
        uuidv7(), body
    from ({_EVENTS}) as events
""")
_ROWS = sa.text(f"insert into rows (subject, body) select subject, body from ({_EVENTS}) as events")
_ROWS_TABLE = sa.text("""
    create table rows (
        id bigint generated always as identity primary key, subject text not null,
        body text not null, published_at timestamptz
    );
    create index on rows (id) where published_at is null
""")
_CLAIM = """
    select id, subject, body from rows where published_at is null
    order by id limit %s for update skip locked
"""
_MARK = "update rows set published_at = now() where id = any(%s)"


def run() -> list[Ratio]:
    """Publishing alone, publishing with sequencing, and reading, each beside the usual way."""
    with ExitStack() as stack:
        ours = stack.enter_context(_our_relay(servers()))
        usual = stack.enter_context(_usual_relay(servers()))
        reading = _Reading(servers(), ours.prefix)
        stack.callback(reading.close)
        return [
            compare(
                "relay: event log to Kafka / row by row",
                ours=ours.publish,
                baseline=usual,
                goal=RELAY_GOAL,
            ),
            compare(
                "relay with sequencing / row by row",
                ours=ours.sequence_and_publish,
                baseline=usual,
                goal=WHOLE_GOAL,
            ),
            compare(
                "Kafka to Arrow columns / KafkaConsumer.poll",
                ours=reading.columns,
                baseline=reading.records,
                goal=CONSUME_GOAL,
            ),
        ]


class _OurRelay:
    def __init__(self, connection: sa.Connection, relay: Relay, prefix: str) -> None:
        self._connection = connection
        self._relay = relay
        self._count_turns = 0
        self.prefix = prefix

    def publish(self) -> float:
        """The event log has the events; they are read, sent, acknowledged and marked."""
        self._write()
        while move_committed(self._connection):
            self._connection.commit()
        self._connection.commit()
        return self._measure()

    def sequence_and_publish(self) -> float:
        """The same with the way from the outbox into the event log."""
        self._write()
        return self._measure()

    def _write(self) -> None:
        self._count_turns += 1
        self._connection.execute(_OUTBOX, {"count": EVENTS, "turn": self._count_turns})
        self._connection.commit()

    def _measure(self) -> float:
        begun = time.perf_counter()
        while self._relay.turn(self._connection):
            pass
        seconds = time.perf_counter() - begun
        published = sa.text("select published_position from publications")
        assert self._connection.execute(published).scalar_one() == self._count_turns * EVENTS
        self._connection.commit()
        return EVENTS / seconds


@contextmanager
def _our_relay(where: Servers) -> Iterator[_OurRelay]:
    environment = where.environment() | {"DATABASE_URL": where.tracker_database()}
    settings = read_environment(RelaySettings, environment)
    engine = create_engine(settings.database_url)
    relay = Relay(settings, lambda: False)
    with open_session(engine) as connection:
        yield _OurRelay(connection, relay, settings.kafka_topic_prefix)
    relay.close()
    engine.dispose()


@contextmanager
def _usual_relay(where: Servers) -> Iterator[Any]:
    engine = create_engine(where.new_database())
    producer = KafkaProducer(
        **where.kafka.credentials("relay"), acks="all", linger_ms=5, batch_size=131_072
    )
    topic = f"{where.environment()['KAFKA_TOPIC_PREFIX']}rows"
    _create_topic(where, topic)
    with engine.connect() as connection:
        connection.execute(_ROWS_TABLE)
        connection.commit()

        def measure() -> float:
            connection.execute(_ROWS, {"count": EVENTS})
            connection.commit()
            begun = time.perf_counter()
            while _relay_rows(connection, producer, topic):
                pass
            return EVENTS / (time.perf_counter() - begun)

        yield measure
    producer.close()
    engine.dispose()


def _relay_rows(connection: sa.Connection, producer: Any, topic: str) -> int:
    """One transaction: claim, send row by row, wait for all answers, mark."""
    result = connection.exec_driver_sql(_CLAIM, (CLAIM_ROWS,))
    assert result.cursor is not None
    rows = result.cursor.fetchall()
    futures = []
    for number, subject, body in rows:
        key = subject.encode()
        headers = [("position", b"%d" % number)]
        partition = crc32(key) % PARTITIONS
        futures.append(
            producer.send(topic, body.encode(), key, headers=headers, partition=partition)
        )
    producer.flush()
    for future in futures:
        future.get(60)
    connection.exec_driver_sql(_MARK, ([number for number, _, _ in rows],))
    connection.commit()
    return len(rows)


class _Reading:
    """Reads what our relay has written, from the beginning and always as many records."""

    def __init__(self, where: Servers, prefix: str) -> None:
        environment = where.environment() | {"KAFKA_TOPIC_PREFIX": prefix}
        self._source = KafkaSource(read_environment(KafkaSettings, environment))
        self._places = [TopicPartition(f"{prefix}tasks", number) for number in range(PARTITIONS)]
        self._consumer = KafkaConsumer(
            **where.kafka.credentials("ingest"),
            max_poll_records=POLL_RECORDS,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        self._consumer.assign(self._places)

    def columns(self) -> float:
        """As the ingester reads."""
        self._source.seek({})
        count = 0
        begun = time.perf_counter()
        while count < READ_EVENTS:
            table = self._source.poll(1.0, records_max=READ_EVENTS)
            count += table.num_rows if table is not None else 0
        return count / (time.perf_counter() - begun)

    def records(self) -> float:
        """As everybody reads."""
        self._consumer.seek_to_beginning(*self._places)
        count = 0
        begun = time.perf_counter()
        while count < READ_EVENTS:
            count += sum(len(batch) for batch in self._consumer.poll(1000).values())
        return count / (time.perf_counter() - begun)

    def close(self) -> None:
        """Drop the connections."""
        self._source.close()
        self._consumer.close()


def _create_topic(where: Servers, topic: str) -> None:
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(**where.kafka.credentials("admin"))
    admin.create_topics({topic: {"num_partitions": PARTITIONS}}, wait_for_metadata=True)
    admin.close()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
