"""From the topic to the committed ledger, beside a loop that only polls the same topic.

Ours decodes, judges, writes raw events, postings, sums and offsets, syncs and commits; the other
side does nothing with what it reads. Both have checksums in C and large fetches.
"""

import contextlib
import datetime as dt
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from kafka import KafkaConsumer, TopicPartition

from benchmarks.ratio import Ratio, compare
from benchmarks.servers import Servers, servers
from contracts import registry
from contracts.environment import read_environment
from contracts.events import EventData, TaskAssignedV1, TaskCompletedV1, TaskCreatedV2
from ops_api.outbox.kafka_batch import Record
from ops_api.outbox.kafka_producer import BulkProducer
from pipelines.ingest.engine import run_window
from pipelines.ingest.kafka_source import KafkaSource
from pipelines.settings import KafkaSettings
from warehouse.lake import connect, create_tables
from warehouse.settings import LakeSettings

EVENTS = 300_000
EMPLOYEES = 100
EVENTS_PER_DAY = 20_000
PARTITIONS = 4
PAGE_RECORDS = 5_000
POLL_RECORDS = 5_000
PATIENCE_SECONDS = 300.0
GOAL = 0.5
FIRST_DATE = dt.date(2026, 1, 1)


def run() -> list[Ratio]:
    """Ingest of a backlog, with everything that makes it exact and durable."""
    where = servers()
    environment = where.environment()
    _fill_topic(where, environment)
    with _ingest(where, environment) as ours, _poll_loop(where, environment) as baseline:
        return [
            compare(
                "ingest: topic to committed ledger / bare KafkaConsumer.poll",
                ours=ours,
                baseline=baseline,
                goal=GOAL,
            )
        ]


@contextlib.contextmanager
def _ingest(where: Servers, environment: dict[str, str]) -> Iterator["_Ingest"]:
    tracker = sa.create_engine(where.tracker_database())
    with TemporaryDirectory(prefix="ates-bench-lake-") as folder:
        yield _Ingest(where, read_environment(KafkaSettings, environment), tracker, Path(folder))
    tracker.dispose()


class _Ingest:
    def __init__(
        self, where: Servers, kafka: KafkaSettings, tracker: sa.Engine, folder: Path
    ) -> None:
        self._where = where
        self._kafka = kafka
        self._tracker = tracker
        self._folder = folder

    def __call__(self) -> float:
        """Events a second into a lake of its own, new each time."""
        settings = LakeSettings(
            lake_catalog_url=self._where.new_database(),
            lake_data_path=str(self._folder / uuid.uuid4().hex),
        )
        source = KafkaSource(self._kafka)
        with connect(settings) as lake:
            create_tables(lake)
            eye = lake.cursor().execute("use lake")

            def is_done() -> bool:
                position = eye.execute("select contiguous_position from ops.ingest_state")
                return position.fetchone() == (EVENTS,)

            begun = time.perf_counter()
            report = run_window(
                source,
                lake,
                self._tracker,
                window_seconds=PATIENCE_SECONDS,
                should_stop=is_done,
            )
            seconds = time.perf_counter() - begun
            assert (report.count_events, report.count_judged) == (EVENTS, 0)
            counts = lake.execute("select count(*), sum(amount_cents) from ledger.postings")
            assert counts.fetchone() == (2 * (EVENTS - EVENTS // 3), 0)
        source.close()
        return EVENTS / seconds


@contextlib.contextmanager
def _poll_loop(where: Servers, environment: dict[str, str]) -> Iterator["_PollLoop"]:
    consumer = KafkaConsumer(
        **where.kafka.credentials("ingest"),
        max_poll_records=POLL_RECORDS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    topic = f"{environment['KAFKA_TOPIC_PREFIX']}tasks"
    yield _PollLoop(consumer, [TopicPartition(topic, number) for number in range(PARTITIONS)])
    consumer.close()


class _PollLoop:
    def __init__(self, consumer: KafkaConsumer, places: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._places = places
        consumer.assign(places)

    def __call__(self) -> float:
        """Records a second that are merely polled."""
        self._consumer.seek_to_beginning(*self._places)
        count = 0
        begun = time.perf_counter()
        while count < EVENTS:
            count += sum(len(batch) for batch in self._consumer.poll(1000).values())
        return count / (time.perf_counter() - begun)


def _fill_topic(where: Servers, environment: dict[str, str]) -> None:
    producer = BulkProducer(
        where.kafka.credentials("relay"),
        {"tasks": PARTITIONS},
        prefix=environment["KAFKA_TOPIC_PREFIX"],
        should_stop=lambda: False,
    )
    producer.open()
    page: list[Record] = []
    for record in records():
        page.append(record)
        if len(page) == PAGE_RECORDS:
            producer.publish(page)
            page = []
    producer.close()
    assert not page, "EVENTS is a multiple of PAGE_RECORDS"


def records(count: int = EVENTS) -> Iterator[Record]:
    """Tasks that are created, assigned and completed: `count` records or two more in log order."""
    rng = Random(1)
    people = [uuid.UUID(int=rng.getrandbits(128), version=4) for _ in range(EMPLOYEES)]
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(500)]
    position = 0
    while position < count:
        task_id = uuid.UUID(int=rng.getrandbits(128), version=4)
        for number, data in enumerate(_life_of(task_id, rng, people, words), 1):
            position += 1
            yield _record(position, number, task_id, data, rng)


def _life_of(
    task_id: uuid.UUID, rng: Random, people: list[uuid.UUID], words: list[str]
) -> list[EventData]:
    fee, reward = rng.randrange(1000, 2001, 100), rng.randrange(2000, 4001, 100)
    title, person = " ".join(rng.choices(words, k=5)), rng.choice(people)
    return [
        TaskCreatedV2(
            task_id=task_id, title=title, fee_cents=fee, reward_cents=reward, created_by=person
        ),
        TaskAssignedV1(
            task_id=task_id, assignee_id=person, assignment_number=1, fee_cents=fee, title=title
        ),
        TaskCompletedV1(task_id=task_id, employee_id=person, reward_cents=reward, title=title),
    ]


def _record(
    position: int, sequence: int, task_id: uuid.UUID, data: EventData, rng: Random
) -> Record:
    date = FIRST_DATE + dt.timedelta(days=position // EVENTS_PER_DAY)
    occurred_at = dt.datetime.combine(date, dt.time(), dt.UTC) + dt.timedelta(
        milliseconds=position % EVENTS_PER_DAY, microseconds=1
    )
    body = registry.encode(
        data,
        event_id=uuid.UUID(int=rng.getrandbits(128), version=4),
        subject=str(task_id),
        sequence=sequence,
        occurred_at=occurred_at,
        business_date=date,
        correlation_id=uuid.UUID(int=rng.getrandbits(128), version=4),
    )
    milliseconds = int(occurred_at.timestamp() * 1000)
    return b"tasks", b"%d" % position, str(task_id).encode(), body, milliseconds
