"""All partitions of some topics as chunks of columns, whatever the broker goes through.

A `KafkaConsumer` without a group, whose fetcher decodes columns instead of records. What this uses
of kafka-python beside its public classes is pinned in `tests/pipelines/test_kafka_source.py`.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition, errors
from kafka.consumer.fetcher import Fetcher
from kafka.net.compat import KafkaNetClient

from pipelines.ingest.columnar import Chunk, decode

CONNECT_SECONDS = 1.5
RECONNECT_SECONDS = 1.0
REQUEST_SECONDS = 10
END_OFFSETS_SECONDS = 3
# A broker with nothing to give answers after so long; with something, at once.
FETCH_WAIT_SECONDS = 1
PAUSE_SECONDS = 0.1
METADATA_SECONDS = 5
METADATA_RETRY_SECONDS = 0.5
# So long without metadata means that no broker answers ...
SILENCE_SECONDS = 12
# ... and after so long the cluster is looked up again from its bootstrap address.
SILENCE_SECONDS_MAX = 30
PARTITION_FETCH_BYTES = 4 * 1024 * 1024
FETCH_BYTES = 32 * 1024 * 1024

log = logging.getLogger("ates.ingest")


class _Piece(NamedTuple):
    """A chunk where kafka-python expects a record; `offset` is its last one."""

    offset: int
    chunk: Chunk


class ColumnarRecords(Fetcher.PartitionRecords):  # type: ignore[misc] # kafka-python has no types
    """One fetched partition; gives pieces where the original gives records."""

    def _unpack_records(self, _tp: Any, records: Any, *_deserializers: Any) -> Iterator[_Piece]:
        for chunk in decode(records._buffer):
            self.leader_epoch = chunk.leader_epoch
            self.next_fetch_offset = chunk.next_offset
            self.bytes_read += chunk.count_bytes
            rest = chunk.since(self.fetch_offset)
            if rest.rows.num_rows:
                yield _Piece(chunk.next_offset - 1, rest)
        self.drain()


class ColumnarConsumer:
    """For one thread; connects when first asked. `start` says where to begin.

    A partition that turns out shorter than, or another than, what was read before is noted in
    `rewound` and read from its beginning; the owner empties that list.
    """

    def __init__(self, options: Mapping[str, Any], topics: Sequence[str]) -> None:
        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # one line an attempt drowns ours
        self.rewound: list[TopicPartition] = []
        self._options = dict(options)
        self._topics = list(topics)
        self._consumer: Any = None
        self._cluster: Any = None
        self._next_offsets: dict[TopicPartition, int] = {}
        self._topic_ids: dict[str, Any] = {}
        self._assigned: set[TopicPartition] = set()
        self._is_layout_new = False
        self._heard_at = 0.0
        self._connect_at = 0.0
        self._state = ""

    def start(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Go on at these offsets; a partition not named is read from its beginning."""
        self._next_offsets = dict(next_offsets)
        for partition in self._assigned:
            self._seek(partition)

    def fetch(self, seconds: float) -> list[tuple[TopicPartition, Chunk]]:
        """Wait so long for the next chunk; empty when none came, or no broker answers."""
        until = time.monotonic() + seconds
        if not self._connect() or not self._follow_layout():
            _sleep_until(until)
            return []
        found: Mapping[TopicPartition, list[_Piece]] = {}
        try:
            found = self._consumer.poll(timeout_ms=int(seconds * 1000), max_records=1)
        except errors.OffsetOutOfRangeError as error:
            self._rewind(error.args[0])
        except errors.LogTruncationError as error:
            self._rewind(error.divergent_offsets)
        except (errors.KafkaError, OSError) as error:
            self._suffer(error)
            _sleep_until(until)
        chunks = [(partition, piece.chunk) for partition, each in found.items() for piece in each]
        for partition, chunk in chunks:
            self._next_offsets[partition] = chunk.next_offset
        return chunks

    def end_offsets(self) -> dict[TopicPartition, int]:
        """Where each partition ends now; empty while no broker answers."""
        if not self._connect() or not self._follow_layout():
            return {}
        try:
            ends: dict[TopicPartition, int] = self._consumer.end_offsets(
                sorted(self._assigned), timeout_ms=END_OFFSETS_SECONDS * 1000
            )
        except (errors.KafkaError, OSError) as error:
            self._suffer(error)
            return {}
        return ends

    def close(self) -> None:
        """Drop the connections; a later `fetch` connects again and goes on where it was."""
        if self._consumer is not None:
            self._consumer.close(autocommit=False, timeout_ms=REQUEST_SECONDS * 1000)
        self._consumer = self._cluster = None
        self._assigned = set()

    def _connect(self) -> bool:
        """Be connected, or try to at most every RECONNECT_SECONDS."""
        silence_seconds = time.monotonic() - self._heard_at
        if self._consumer is not None and silence_seconds > SILENCE_SECONDS:
            self._say("down", f"no broker has answered for {SILENCE_SECONDS} s")
            if silence_seconds > SILENCE_SECONDS_MAX:
                self.close()
        if self._consumer is not None:
            return True
        if time.monotonic() < self._connect_at:
            return False
        clients: list[KafkaNetClient] = []
        try:
            self._consumer = self._new_consumer(clients)
        except (errors.KafkaError, OSError) as error:
            for client in clients:
                client.close()
            self._connect_at = time.monotonic() + RECONNECT_SECONDS
            self._say("down", f"no connection to Kafka: {error}")
            return False
        self._cluster = clients[0].cluster
        self._cluster.add_listener(self._note_metadata)
        self._cluster.set_topics(self._topics)
        self._heard_at = time.monotonic()
        return True

    def _new_consumer(self, clients: list[KafkaNetClient]) -> Any:
        """Connect; the client is noted first, because a failed constructor leaves its thread."""

        def new_client(**options: Any) -> KafkaNetClient:
            client = KafkaNetClient(**options)
            client.cluster.config["allow_auto_create_topics"] = False
            client.cluster.config["retry_backoff_ms"] = METADATA_RETRY_SECONDS * 1000
            clients.append(client)
            return client

        consumer = KafkaConsumer(
            **self._options,
            client_id="ates-ingest",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            kafka_client=new_client,
            bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
            request_timeout_ms=REQUEST_SECONDS * 1000,
            reconnect_backoff_max_ms=RECONNECT_SECONDS * 1000,
            metadata_max_age_ms=METADATA_SECONDS * 1000,
            fetch_max_wait_ms=FETCH_WAIT_SECONDS * 1000,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            metrics_enabled=False,
        )
        consumer._fetcher.PartitionRecords = ColumnarRecords
        return consumer

    def _note_metadata(self, _cluster: Any) -> None:
        """Called by kafka-python's thread."""
        self._heard_at = time.monotonic()
        self._is_layout_new = True

    def _follow_layout(self) -> bool:
        """Read every partition there is now; whether there is any."""
        if not self._is_layout_new:
            return bool(self._assigned)
        self._is_layout_new = False
        present: set[TopicPartition] = set()
        renewed: set[TopicPartition] = set()
        for topic in self._topics:
            numbers = self._cluster.partitions_for_topic(topic) or ()
            partitions = {TopicPartition(topic, number) for number in numbers}
            present |= partitions
            topic_id = self._cluster.topic_id(topic)
            if partitions and self._topic_ids.setdefault(topic, topic_id) != topic_id:
                self._topic_ids[topic] = topic_id
                renewed |= {each for each in partitions if self._next_offsets.get(each, 0) > 0}
        if present and present != self._assigned:
            self._consumer.assign(sorted(present))
        fresh, self._assigned = present - self._assigned, present
        self._rewind(renewed)
        for partition in fresh - renewed:
            self._seek(partition)
        if denied := self._cluster.unauthorized_topics:
            self._say("denied", f"no right to read {', '.join(sorted(denied))}")
        elif present:
            self._say("reading", f"reading {len(present)} partitions")
        else:
            self._say("waiting", "the topics do not exist yet")
        return bool(present)

    def _seek(self, partition: TopicPartition) -> None:
        if partition in self._next_offsets:
            self._consumer.seek(partition, self._next_offsets[partition])
        else:
            self._consumer.seek_to_beginning(partition)

    def _rewind(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self.rewound.append(partition)
            self._next_offsets.pop(partition, None)
            if partition in self._assigned:
                self._consumer.seek_to_beginning(partition)

    def _suffer(self, error: Exception) -> None:
        """Say what is wrong and, unless it passes by itself, begin anew with a new connection."""
        if isinstance(error, errors.AuthorizationError):
            self._say("denied", f"no right to read: {error}")
        elif not isinstance(error, errors.RetriableError):
            self._say("failed", f"reading failed, connecting anew: {error!r}")
            self.close()
            self._connect_at = time.monotonic() + RECONNECT_SECONDS

    def _say(self, state: str, message: str) -> None:
        if state != self._state:
            self._state = state
            log.info(message)


def _sleep_until(until: float) -> None:
    time.sleep(max(0.0, min(until - time.monotonic(), PAUSE_SECONDS)))
