"""A PostgreSQL and a broker for the benchmarks, with the settings of an installation."""

import atexit
import contextlib
import functools
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from ates.embedded import process
from ates.embedded.kafka import KafkaServer
from ates.embedded.postgres import PostgresServer
from ops_api.database import migrate


@dataclass(frozen=True)
class Servers:
    """Running servers; every benchmark takes fresh databases and topics."""

    postgres: PostgresServer
    kafka: KafkaServer

    def tracker_database(self) -> str:
        """The URL of a new tracker database, migrated and empty."""
        url = self.new_database()
        migrate(url)
        return url

    def new_database(self) -> str:
        """The URL of a new empty database."""
        name = f"bench_{secrets.token_hex(4)}"
        engine = sa.create_engine(self.postgres.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"create database {name}"))
        engine.dispose()
        return self.postgres.url(name)

    def environment(self) -> dict[str, str]:
        """The settings that lead to the broker, with topics of one's own."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap,
            "KAFKA_TOPIC_PREFIX": f"b{secrets.token_hex(4)}.",
            "KAFKA_TASK_PARTITIONS": "4",
            "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_RELAY_USERNAME": "relay",
            "KAFKA_RELAY_PASSWORD": self.kafka.password("relay"),
            "KAFKA_INGEST_USERNAME": "ingest",
            "KAFKA_INGEST_PASSWORD": self.kafka.password("ingest"),
        }


@functools.cache
def servers() -> Servers:
    """Start them at the first call; they stop with the process."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ates-bench-")))
    home.chmod(0o711)  # the servers' own system user passes through
    postgres = PostgresServer(home / "postgres", process.free_port(), home / "secrets")
    ports = process.free_port(), process.free_port()
    kafka = KafkaServer(home / "kafka", *ports, home / "secrets", topic_prefix="")
    for server, name in ((postgres, "postgres"), (kafka, "kafka")):
        running = process.Running(server, home / f"{name}.log")
        running.start()
        stack.callback(running.stop)
    return Servers(postgres, kafka)
