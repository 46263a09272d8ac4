"""A tracker database, a broker, a relay that publishes on demand, and ingesters to be killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import sqlalchemy as sa

from contracts import registry
from contracts.environment import read_environment
from ops_api.outbox.models import outbox
from ops_api.outbox.sequencer import move_committed
from pipelines.ingest.kafka_source import KafkaSource
from pipelines.settings import KafkaSettings
from tests.ops_api.relays import RelayWorld
from tests.warehouse.world import World
from warehouse.ingest import LogRow

PATIENCE_SECONDS = 90
CHILD = """
import signal, sys, threading
from contracts.environment import read_environment
from pipelines.ingest.service import run_ingest
from pipelines.settings import KafkaSettings
from warehouse.settings import LakeSettings
import os
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run_ingest(
    read_environment(KafkaSettings),
    read_environment(LakeSettings),
    os.environ["DATABASE_URL"],
    stop.is_set,
)
"""


@dataclass
class IngestWorld:
    """Everything between the outbox and the lake, except the ingester."""

    relays: RelayWorld
    company: World
    count_committed: int = 0

    @property
    def tracker(self) -> sa.Engine:
        """The tracker's database."""
        return self.relays.engine

    def commit(self) -> None:
        """Put what the company did since the last time into the outbox."""
        rows = [_outbox_row(row) for row in self.company.log[self.count_committed :]]
        with self.tracker.begin() as connection:
            connection.execute(outbox.insert(), rows)
        self.count_committed += len(rows)

    def number(self) -> None:
        """Move what is committed into the event log, as the relay does before it publishes."""
        with self.tracker.begin() as connection:
            move_committed(connection)

    def publish(self) -> None:
        """Commit, and let a relay bring everything to the broker."""
        self.commit()
        with self.relays.relay():
            self.relays.wait("select published_position from publications", self.count_committed)

    def source(self) -> KafkaSource:
        """A new reader of the topics."""
        return KafkaSource(read_environment(KafkaSettings, self.relays.environment))

    @contextmanager
    def ingester(self, crash_at: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """An ingester in a process of its own."""
        environment = self.relays.environment | {"CRASH_AT": crash_at}
        process = subprocess.Popen([sys.executable, "-c", CHILD], env=environment)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()
                process.wait()


def wait_for_position(lake: duckdb.DuckDBPyConnection, position: int) -> None:
    """Until every event up to a position is in the lake."""
    until = time.monotonic() + PATIENCE_SECONDS
    query = "select contiguous_position from ops.ingest_state"
    while (found := lake.execute(query).fetchone()) != (position,):
        assert time.monotonic() < until, f"at {found}, not {position}"
        time.sleep(0.1)


def assert_books_agree(lake: duckdb.DuckDBPyConnection, company: World) -> None:
    """The lake has each event once, and its balances are the clerk's (before any payout)."""
    counts = lake.execute(
        "select count(*), count(distinct position), count(distinct event_id) from raw.events"
    ).fetchone()
    assert counts == (len(company.log),) * 3
    found = dict(lake.execute("select account, balance_cents from marts.balances").fetchall())
    assert found.pop("company") == sum(company.earnings.values())
    assert found == {str(key): value for key, value in company.balances.items()}
    assert lake.execute("select sum(amount_cents) from ledger.postings").fetchone() == (0,)


def _outbox_row(row: LogRow) -> dict[str, object]:
    envelope, data = registry.decode(row.body)
    return {
        "event_id": envelope.id,
        "type": envelope.type,
        "version": envelope.version,
        "topic": row.topic,
        "subject": envelope.subject,
        "sequence": envelope.sequence,
        "occurred_at": envelope.time,
        "business_date": envelope.businessdate,
        "correlation_id": envelope.correlationid,
        "fee_cents": data.fee_cents if envelope.type == "task.assigned" else 0,  # type: ignore[attr-defined]
        "reward_cents": data.reward_cents if envelope.type == "task.completed" else 0,  # type: ignore[attr-defined]
        "body": row.body.decode(),
    }
