"""A connection to a Kafka cluster: requests with deadlines, topics that exist and have leaders.

Uses kafka-python's connection manager and protocol classes directly, because its public producer
is per record; `tests/ops_api/test_kafka_producer.py` pins what this relies on.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import TopicPartition, errors
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.protocol.admin import CreateTopicsRequest

BOOTSTRAP_SECONDS = 3
REQUEST_SECONDS = 8
RETRY_SECONDS = 0.1
RECONNECT_SECONDS_MAX = 1
BROKER_DEFAULT = -1

# The records' times are those of the events, which may be years old or, with a simulated clock,
# ahead: neither may make the broker drop them, so a topic is bounded by size, not by time.
_LONG_MAX = str(2**63 - 1)
TOPIC_CONFIG = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": str(1024**3),
    "segment.bytes": str(128 * 1024**2),
    "segment.ms": _LONG_MAX,
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": _LONG_MAX,
    "message.timestamp.after.max.ms": _LONG_MAX,
    "max.message.bytes": str(10 * 1024**2),
}


class BrokerUnavailableError(Exception):
    """No broker did it in time; close this connection and try again with a new one later."""


class RefusedError(BrokerUnavailableError):
    """A broker said no for a reason that waiting does not cure: a right, a size, a setting."""


def unavailable(error: Exception) -> BrokerUnavailableError:
    """What a failure inside kafka-python means to the caller."""
    if isinstance(error, errors.AuthorizationError | errors.SaslAuthenticationFailedError):
        return RefusedError(str(error))
    return BrokerUnavailableError(f"{type(error).__name__}: {error}")


class Deadline:
    """Until when something may be tried again, and whether the process still wants it."""

    def __init__(self, seconds: float, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._at = time.monotonic() + seconds
        self._should_stop = should_stop

    def pause(self, reason: str) -> None:
        """Wait before the next attempt; raises BrokerUnavailableError when there is none."""
        if time.monotonic() >= self._at or self._should_stop():
            raise BrokerUnavailableError(f"gave up waiting: {reason}")
        time.sleep(RETRY_SECONDS)


class Cluster:
    """One client of a cluster, used by one thread; methods raise kafka-python's errors.

    `options` are kafka-python's connection options.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._net = NetworkSelector(client_id="ates-relay")
        self._manager = KafkaConnectionManager(
            self._net,
            client_id="ates-relay",
            request_timeout_ms=REQUEST_SECONDS * 1000,
            reconnect_backoff_max_ms=RECONNECT_SECONDS_MAX * 1000,
            socket_connection_setup_timeout_ms=BOOTSTRAP_SECONDS * 1000,
            **options,
        )
        self._metadata = self._manager.cluster
        self._metadata.config["allow_auto_create_topics"] = False

    def open(self) -> None:
        """Connect to any broker; KafkaTimeoutError after BOOTSTRAP_SECONDS."""
        self._net.start()
        self._manager.bootstrap(timeout_ms=BOOTSTRAP_SECONDS * 1000)

    def close(self) -> None:
        """Drop all connections at once; may be called more than once and without `open`."""
        self._manager.close()
        self._net.close()

    def leader_of(self, partition: TopicPartition) -> int | None:
        """The broker that takes writes for a partition, as far as known."""
        leader = self._metadata.leader_for_partition(partition)
        return None if leader is None or leader < 0 else int(leader)

    def request(self, request: Any, node_id: int | None = None) -> Any:
        """Ask the broker named, or any, and wait for its answer."""
        return self._wait(self._manager.call_soon(self._manager.send, request, node_id))

    def exchange(self, requests: Mapping[int, Any]) -> dict[int, Any]:
        """Ask several brokers at once; gives each one's answer or the KafkaError in its place."""
        answers: dict[int, Any] = self._manager.run(self._exchange, requests)
        return answers

    async def _exchange(self, requests: Mapping[int, Any]) -> dict[int, Any]:
        answers: dict[int, Any] = {}
        futures: dict[int, Any] = {}
        for node_id, request in requests.items():
            try:
                futures[node_id] = self._manager.send(request, node_id=node_id)
            except errors.KafkaError as error:
                answers[node_id] = error
        for node_id, future in futures.items():
            try:
                answers[node_id] = await self._manager.wait_for(future, REQUEST_SECONDS * 1000)
            except errors.KafkaError as error:
                answers[node_id] = error
        return answers

    def prepare_topics(self, topics: Mapping[str, int], deadline: Deadline) -> dict[str, int]:
        """Read the layout, create what is missing, wait for every partition's leader.

        `topics` has the partitions a topic gets when it must be created; returns those it has.
        """
        self._metadata.set_topics(topics)
        while True:
            self._wait(self._manager.call_soon(self._metadata.refresh_metadata))
            if unauthorized := self._metadata.unauthorized_topics:
                raise RefusedError(f"no right to see {', '.join(sorted(unauthorized))}")
            known = {name: self._metadata.partitions_for_topic(name) or set() for name in topics}
            if missing := {name: topics[name] for name, numbers in known.items() if not numbers}:
                self._create_topics(missing)
            elif all(
                self.leader_of(TopicPartition(name, number)) is not None
                for name, numbers in known.items()
                for number in numbers
            ):
                return {name: len(numbers) for name, numbers in known.items()}
            deadline.pause("topics or their leaders are missing")

    def _create_topics(self, topics: Mapping[str, int]) -> None:
        controller = self._metadata.controller
        request = _create_request(topics)
        response = self.request(request, controller.node_id if controller else None)
        for topic in response.topics:
            kind = errors.for_code(topic.error_code)
            is_there = kind in (errors.NoError, errors.TopicAlreadyExistsError)
            if not is_there and not issubclass(kind, errors.RetriableError):
                raise RefusedError(f"cannot create topic {topic.name}: {kind.__name__}")

    def _wait(self, future: Any) -> Any:
        return self._manager.run(self._manager.wait_for, future, REQUEST_SECONDS * 1000)


def _create_request(topics: Mapping[str, int]) -> Any:
    topic_type = CreateTopicsRequest.CreatableTopic
    config_type = topic_type.CreatableTopicConfig
    configs: Sequence[Any] = [
        config_type(name=name, value=value) for name, value in TOPIC_CONFIG.items()
    ]
    return CreateTopicsRequest(
        topics=[
            topic_type(
                name=name,
                num_partitions=count,
                replication_factor=BROKER_DEFAULT,
                assignments=[],
                configs=configs,
            )
            for name, count in topics.items()
        ],
        timeout_ms=REQUEST_SECONDS * 1000,
        validate_only=False,
    )
