"""Reads the tracker's topics into Arrow tables; keeps no offsets in Kafka.

Offsets live in the lake: the engine says with `seek` where to go on. While the broker is down,
wiped or without topics the source gives nothing, and then goes on by itself.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from kafka import TopicPartition

from contracts import registry
from pipelines.ingest.columnar import COLUMNS
from pipelines.ingest.kafka_consumer import ColumnarConsumer
from pipelines.settings import KafkaSettings

LINGER_SECONDS = 0.3
RECORDS_MAX = 100_000
BYTES_MAX = 64 * 1024 * 1024
# DuckDB gives a record batch to one thread, so a large table comes in several.
RECORD_BATCHES_MIN = 8
RECORD_BATCH_ROWS_MIN = 1024

# What `poll` returns: one row per record, topic without prefix. `position` is null when the record
# has no valid position header; a batch that cannot be decoded is one such row with all its bytes.
# `value` is a view, which DuckDB reads without a copy; cast it to binary to filter it in Arrow.
RECORDS = pa.schema(
    [
        pa.field("topic", pa.string(), nullable=False),
        pa.field("partition", pa.int32(), nullable=False),
        *COLUMNS,
    ]
)

Place = tuple[str, int]  # topic without prefix, partition


class KafkaSource:
    """All partitions of the tracker's topics, for one thread; connects when first polled.

    `rewound` lists the partitions that the last `poll` found shorter than, or another than, what
    was read before; their records come again from the beginning.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self.rewound: list[Place] = []
        self._prefix = settings.kafka_topic_prefix
        topics = [self._prefix + topic for topic in registry.TOPICS.values()]
        self._consumer = ColumnarConsumer(_connection_options(settings), topics)

    def seek(self, next_offsets: Mapping[Place, int]) -> None:
        """Go on at these offsets; a partition not named is read from its beginning."""
        self._consumer.start(
            {
                TopicPartition(self._prefix + topic, number): offset
                for (topic, number), offset in next_offsets.items()
            }
        )

    def poll(
        self,
        linger_seconds: float = LINGER_SECONDS,
        records_max: int = RECORDS_MAX,
        bytes_max: int = BYTES_MAX,
    ) -> pa.Table | None:
        """Collect for `linger_seconds`, or until there are about as many records or bytes.

        Gives a table of RECORDS in which each partition's rows stand in offset order, or None.
        Both limits may be exceeded by one fetch of a partition. While no broker answers it takes
        up to kafka_consumer.CONNECT_SECONDS longer.
        """
        deadline = time.monotonic() + linger_seconds
        batches: list[pa.RecordBatch] = []
        count_records = count_bytes = 0
        while count_records < records_max and count_bytes < bytes_max:
            for partition, chunk in self._consumer.fetch(max(0.0, deadline - time.monotonic())):
                batches.append(self._located(partition, chunk.rows))
                count_records += chunk.rows.num_rows
                count_bytes += chunk.count_bytes
            if time.monotonic() >= deadline:
                break
        self.rewound = [self._place(partition) for partition in self._consumer.rewound]
        self._consumer.rewound.clear()
        return pa.Table.from_batches(_spread(batches), RECORDS) if batches else None

    def end_offsets(self) -> dict[Place, int]:
        """Where each partition ends now; empty while no broker answers."""
        ends = self._consumer.end_offsets()
        return {self._place(partition): offset for partition, offset in ends.items()}

    def close(self) -> None:
        """Drop the connections; a later `poll` connects again and goes on where it was."""
        self._consumer.close()

    def _place(self, partition: TopicPartition) -> Place:
        return partition.topic.removeprefix(self._prefix), partition.partition

    def _located(self, partition: TopicPartition, rows: pa.RecordBatch) -> pa.RecordBatch:
        topic, number = self._place(partition)
        return pa.RecordBatch.from_arrays(
            [
                pa.repeat(pa.scalar(topic), rows.num_rows),
                pa.repeat(pa.scalar(number, pa.int32()), rows.num_rows),
                *rows.columns,
            ],
            schema=RECORDS,
        )


def _spread(batches: Sequence[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """Slice large batches, without copying, so that all cores find work."""
    count_rows = sum(batch.num_rows for batch in batches)
    rows_max = max(RECORD_BATCH_ROWS_MIN, -(-count_rows // RECORD_BATCHES_MIN))
    return [
        batch.slice(start, rows_max)
        for batch in batches
        for start in range(0, batch.num_rows, rows_max)
    ]


def _connection_options(settings: KafkaSettings) -> dict[str, Any]:
    options = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_ingest_username
        options["sasl_plain_password"] = settings.kafka_ingest_password
    return options
