"""A broker of one's own that a test may kill, restart and wipe; and simple ways to use it."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer

from ates.embedded import process
from ates.embedded.kafka import KafkaServer


class Broker:
    """Wraps the embedded server; `server` has its address and its users' credentials."""

    def __init__(self, home: Path) -> None:
        """Describe it; `start` starts it."""
        ports = process.free_port(), process.free_port()
        self.server = KafkaServer(home / "server", *ports, home / "secrets", topic_prefix="")
        self._running = process.Running(self.server, home / "server.log")

    def start(self) -> None:
        """Return when it answers."""
        self._running.start()

    def kill(self) -> None:
        """As kill -9; its data folder stays."""
        self._running.kill()

    def wipe(self) -> None:
        """Lose all data while it is down; users and passwords come back at the next start."""
        shutil.rmtree(self.server.folder / "data")

    def environment(self) -> dict[str, str]:
        """What differs from the shared broker's settings."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.server.bootstrap,
            "KAFKA_RELAY_PASSWORD": self.server.password("relay"),
            "KAFKA_INGEST_PASSWORD": self.server.password("ingest"),
        }


@contextmanager
def own_broker(home: Path) -> Iterator[Broker]:
    """A running broker; `home` must be reachable for other system users."""
    for folder in (home, home.parent, home.parent.parent):
        folder.chmod(folder.stat().st_mode | 0o011)
    broker = Broker(home)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@contextmanager
def admin_of(server: KafkaServer) -> Iterator[Any]:
    """A client that may do everything."""
    client = KafkaAdminClient(**server.credentials("admin"))
    try:
        yield client
    finally:
        client.close()


def create_topics(server: KafkaServer, partitions: Mapping[str, int]) -> None:
    """Create topics (full names) and wait for their leaders."""
    with admin_of(server) as admin:
        topics = {
            name: {
                "num_partitions": count,
                "replication_factor": 1,
                "configs": {"max.message.bytes": "10485760"},
            }
            for name, count in partitions.items()
        }
        admin.create_topics(topics, wait_for_metadata=True)


def delete_topics(server: KafkaServer, names: Iterable[str]) -> None:
    """Delete topics (full names)."""
    with admin_of(server) as admin:
        admin.delete_topics(list(names))


@contextmanager
def producer_of(server: KafkaServer, **options: Any) -> Iterator[Any]:
    """kafka-python's own producer, to write what the relay never would."""
    client = KafkaProducer(**server.credentials("admin"), max_request_size=12_000_000, **options)
    try:
        yield client
    finally:
        client.close()
