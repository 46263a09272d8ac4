"""The source gives every record once and in order, through everything a broker may do."""

import time
from collections.abc import Iterator
from typing import Any

import kafka
import pyarrow as pa
import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.record import MemoryRecords

from ates.embedded.kafka import KafkaServer
from contracts.environment import read_environment
from pipelines.ingest.kafka_consumer import ColumnarRecords
from pipelines.ingest.kafka_source import RECORDS, KafkaSource
from pipelines.settings import KafkaSettings
from tests import brokers

LINGER_SECONDS = 0.2
PATIENCE_SECONDS = 20
TASKS = 4


@pytest.fixture
def source(environment: dict[str, str]) -> Iterator[KafkaSource]:
    each = KafkaSource(read_environment(KafkaSettings, environment))
    yield each
    each.close()


@pytest.fixture
def topics(kafka_server: KafkaServer, topic_prefix: str) -> str:
    """The tracker's topics, empty; gives their prefix."""
    create(kafka_server, topic_prefix)
    return topic_prefix


def create(server: KafkaServer, prefix: str, tasks: int = TASKS) -> None:
    counts = {"employees": 1, "tasks": tasks, "business-days": 1}
    brokers.create_topics(server, {prefix + name: count for name, count in counts.items()})


def send(server: KafkaServer, topic: str, *values: bytes | None, **options: Any) -> None:
    """Write values to partition 0, with positions from 1 unless `headers` says otherwise."""
    key, headers = options.pop("key", b"key"), options.pop("headers", None)
    with brokers.producer_of(server, **options) as producer:
        futures = [
            producer.send(
                topic,
                value,
                key,
                partition=0,
                headers=[("position", b"%d" % number)] if headers is None else headers,
            )
            for number, value in enumerate(values, 1)
        ]
        for future in futures:
            future.get(PATIENCE_SECONDS)


def collect(source: KafkaSource, count: int, seconds: float = PATIENCE_SECONDS) -> pa.Table:
    """Poll until there are `count` records, and once more to see that there are no others."""
    tables: list[pa.Table] = []
    until = time.monotonic() + seconds
    while sum(table.num_rows for table in tables) < count:
        assert time.monotonic() < until, f"{sum(t.num_rows for t in tables)} of {count} records"
        if (table := source.poll(LINGER_SECONDS)) is not None:
            tables.append(table)
    assert source.poll(LINGER_SECONDS) is None
    return pa.concat_tables(tables)


def test_records_come_with_their_places_and_positions(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one", b"two")

    table = collect(source, 2)

    assert table.schema == RECORDS
    assert table.to_pylist() == [
        {
            "topic": "tasks",
            "partition": 0,
            "offset": number,
            "position": number + 1,
            "key": b"key",
            "value": value,
        }
        for number, value in enumerate([b"one", b"two"])
    ]


def test_odd_records_come_through(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    topic = f"{topics}tasks"
    send(kafka_server, topic, None)
    send(kafka_server, topic, b"no key", key=None)
    send(kafka_server, topic, b"no header", headers=[])
    send(kafka_server, topic, b"two", headers=[("trace", b"x"), ("position", b"9")])
    send(kafka_server, topic, b"bad", headers=[("position", b"x")])
    send(kafka_server, topic, b"small " * 99, b"er" * 99, compression_type="gzip")

    rows = collect(source, 7).to_pylist()

    assert [(row["key"], row["value"], row["position"]) for row in rows] == [
        (b"key", None, 1),
        (None, b"no key", 1),
        (b"key", b"no header", None),
        (b"key", b"two", 9),
        (b"key", b"bad", None),
        (b"key", b"small " * 99, 1),
        (b"key", b"er" * 99, 2),
    ]


def test_a_record_of_eight_megabytes_comes_through(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    values = [b"a", bytes(range(256)) * 32 * 1023, b"b"]
    send(kafka_server, f"{topics}tasks", *values)

    table = collect(source, 3)

    assert table["value"].to_pylist() == values


def test_a_large_table_comes_in_many_record_batches(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", *(b"v%d" % number for number in range(20_000)))

    table = collect(source, 20_000)

    assert len(table.to_batches()) >= 8
    assert table["position"].to_pylist() == list(range(1, 20_001))


def test_the_limits_end_a_poll_early(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one")
    send(kafka_server, f"{topics}employees", b"two")
    collect(source, 2)
    source.seek({})
    begun = time.monotonic()

    first = source.poll(PATIENCE_SECONDS, records_max=1)
    second = source.poll(PATIENCE_SECONDS, bytes_max=1)

    assert first is not None
    assert second is not None
    assert sorted(pa.concat_tables([first, second])["value"].to_pylist()) == [b"one", b"two"]
    assert time.monotonic() - begun < PATIENCE_SECONDS / 2


def test_seek_goes_on_at_the_offsets_given(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one", b"two", b"three")
    source.seek({("tasks", 0): 1})

    assert collect(source, 2)["value"].to_pylist() == [b"two", b"three"]
    assert source.rewound == []

    source.seek({("tasks", 0): 2})

    assert collect(source, 1)["value"].to_pylist() == [b"three"]


def test_end_offsets_name_every_partition(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one", b"two")
    collect(source, 2)

    ends = source.end_offsets()

    others = {("tasks", number): 0 for number in range(1, TASKS)}
    assert ends == {("tasks", 0): 2, ("employees", 0): 0, ("business-days", 0): 0, **others}


def test_an_offset_beyond_the_end_is_reported_and_read_from_the_beginning(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one")
    source.seek({("tasks", 0): 10})
    rewound = []

    while (table := source.poll(LINGER_SECONDS)) is None:
        rewound += source.rewound
    rewound += source.rewound

    assert table["value"].to_pylist() == [b"one"]
    assert rewound == [("tasks", 0)]


def test_topics_may_come_into_being_later(
    source: KafkaSource, kafka_server: KafkaServer, topic_prefix: str
) -> None:
    assert source.poll(LINGER_SECONDS) is None
    assert source.end_offsets() == {}

    brokers.create_topics(kafka_server, {f"{topic_prefix}tasks": 1})
    send(kafka_server, f"{topic_prefix}tasks", b"one")
    first = collect(source, 1)
    brokers.create_topics(kafka_server, {f"{topic_prefix}employees": 1})
    send(kafka_server, f"{topic_prefix}employees", b"two")

    assert first["topic"].to_pylist() == ["tasks"]
    assert collect(source, 1)["topic"].to_pylist() == ["employees"]


def test_a_topic_deleted_and_created_anew_is_read_from_its_beginning(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"old", b"older")
    collect(source, 2)

    brokers.delete_topics(kafka_server, [f"{topics}tasks"])
    brokers.create_topics(kafka_server, {f"{topics}tasks": 2})
    send(kafka_server, f"{topics}tasks", b"1", b"2", b"3")
    rewound, values = set(), []
    until = time.monotonic() + PATIENCE_SECONDS
    while b"1" not in values and time.monotonic() < until:
        table = source.poll(LINGER_SECONDS)
        rewound |= set(source.rewound)
        values += table["value"].to_pylist() if table is not None else []

    assert values[-3:] == [b"1", b"2", b"3"]
    assert ("tasks", 0) in rewound


def test_closing_twice_and_polling_again_works(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one")
    collect(source, 1)
    source.close()
    source.close()

    send(kafka_server, f"{topics}tasks", b"two")

    assert collect(source, 1)["value"].to_pylist() == [b"two"]


def test_a_user_without_the_right_gets_nothing(
    environment: dict[str, str], kafka_server: KafkaServer, topics: str
) -> None:
    send(kafka_server, f"{topics}tasks", b"one")
    changed = {
        "KAFKA_INGEST_USERNAME": "relay",
        "KAFKA_INGEST_PASSWORD": kafka_server.password("relay"),
    }
    source = KafkaSource(read_environment(KafkaSettings, environment | changed))

    polled = [source.poll(LINGER_SECONDS) for _ in range(5)]
    source.close()

    assert polled == [None] * 5


def test_kafka_python_still_has_the_places_we_plug_into(
    source: KafkaSource, kafka_server: KafkaServer, topics: str
) -> None:
    """Not all of them are public: look there before raising the version."""
    send(kafka_server, f"{topics}tasks", b"one")
    collect(source, 1)
    consumer = source._consumer._consumer

    assert kafka.__version__ == "3.0.12"
    assert consumer._fetcher.PartitionRecords is ColumnarRecords
    assert vars(Fetcher.PartitionRecords)["_unpack_records"].__code__.co_varnames[:3] == (
        "self",
        "tp",
        "records",
    )
    assert MemoryRecords(b"bytes")._buffer == b"bytes"
    assert consumer.position(TopicPartition(f"{topics}tasks", 0)) == 1
