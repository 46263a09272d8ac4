"""The relay: committed events get their positions and go to Kafka in that order.

One at a time holds the session lock RELAY; a second one waits and takes over when the first dies.
Sequencing does not need Kafka and goes on without it. `published_position` moves only after the
brokers' answer and only in the session that holds the lock, so what is at or below it is in Kafka
(or was, before somebody wiped it: the ingester then reads `event_log`).
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions
import sqlalchemy as sa

from contracts import registry
from ops_api import locks
from ops_api.database import create_engine
from ops_api.outbox import metrics
from ops_api.outbox.kafka_batch import Record, refuse_slow_checksums
from ops_api.outbox.kafka_cluster import BrokerUnavailableError, RefusedError
from ops_api.outbox.kafka_producer import BulkProducer
from ops_api.outbox.progress import Progress
from ops_api.outbox.sequencer import move_committed
from ops_api.settings import RelaySettings

PAGE_ROWS = 5000
PAGES_PER_TURN = 20
POLL_SECONDS = 0.025
STANDBY_SECONDS = 0.5
RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 5.0
SLEEP_SECONDS = 0.05
LAG_ROWS = 20_000

_HEADS = sa.text("""
select
    exists (select from outbox) as has_unmoved,
    (select last_position from log_head) as last_position,
    (select published_position from publications) as published_position
""")
_PAGE = """
select topic, position::text, subject, body, (date_part('epoch', occurred_at) * 1000)::bigint
from event_log where position > %s order by event_log.position limit %s
"""
_ADVANCE = sa.text("""
update publications set published_position = :published, published_at = now()
where published_position = :expected
""")

log = logging.getLogger("ates.relay")


class LostLeadError(Exception):
    """Another relay has moved the published position: step back and compete for the lock again."""


def run_relay(settings: RelaySettings, should_stop: Callable[[], bool]) -> None:
    """Work until `should_stop()`; survives the loss of PostgreSQL, of Kafka and of Kafka's data.

    Raises SlowChecksumError at once when the CRC-32C in use is not the one in C.
    """
    refuse_slow_checksums()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # one line an attempt drowns ours
    engine = create_engine(settings.database_url, pool_size=1)
    relay = Relay(settings, should_stop)
    retry_seconds = RETRY_SECONDS_MIN
    try:
        while not should_stop():
            try:
                with open_session(engine) as connection:
                    retry_seconds = RETRY_SECONDS_MIN
                    relay.compete(connection)
            except sa.exc.DBAPIError as error:
                metrics.FAILURES.labels("database").inc()
                relay.say("database down", f"cannot use the database: {_first_line(error)}")
                relay.wait(retry_seconds)
                retry_seconds = min(retry_seconds * 2, RETRY_SECONDS_MAX)
            except LostLeadError:
                relay.say("lost the lead", "another relay moved the published position")
            finally:
                metrics.IS_LEADING.set(0)
    finally:
        relay.close()
        engine.dispose()
    relay.say("stopped", "stopped")


@contextmanager
def open_session(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A database session for `Relay`: it ends with the block, and its lock with it.

    Texts come as bytes, for they are only passed on.
    """
    with engine.connect() as connection:
        driver_connection = connection.connection.driver_connection
        # with None the registration would hold for every connection of the process
        assert isinstance(driver_connection, psycopg2.extensions.connection)
        psycopg2.extensions.register_type(psycopg2.extensions.BYTES, driver_connection)
        connection.detach()  # else the session would live on in the pool
        yield connection


class Relay:
    """What a relay remembers between turns: its producer, its back-off and what it last said."""

    def __init__(self, settings: RelaySettings, should_stop: Callable[[], bool]) -> None:
        self._settings = settings
        self._should_stop = should_stop
        self._producer: BulkProducer | None = None
        self._sender = ThreadPoolExecutor(max_workers=1, thread_name_prefix="relay-sender")
        self._retry_at = 0.0
        self._retry_seconds = RETRY_SECONDS_MIN
        self._state = ""
        self._progress = Progress()

    def say(self, state: str, message: str) -> None:
        """Log a line when the state is new, and only then."""
        if state != self._state:
            self._state = state
            log.info(message)

    def wait(self, seconds: float) -> None:
        """Sleep, but wake up early when the process should stop."""
        until = time.monotonic() + seconds
        while not self._should_stop() and (rest := until - time.monotonic()) > 0:
            time.sleep(min(rest, SLEEP_SECONDS))

    def close(self) -> None:
        """Let go of Kafka; the database session is the caller's."""
        self._progress.tell(is_last=True)
        self._sender.shutdown()
        self._drop_producer()

    def _drop_producer(self) -> None:
        if self._producer is not None:
            self._producer.close()
            self._producer = None

    def compete(self, connection: sa.Connection) -> None:
        """Stand by until the lock is free, then lead until the process should stop."""
        while not self._should_stop():
            is_leader = locks.try_session_lock(connection, locks.RELAY)
            connection.commit()
            metrics.LAST_TURN.set_to_current_time()
            if is_leader:
                self._lead(connection)
                return
            self.say("standing by", "another relay is at work, standing by")
            self.wait(STANDBY_SECONDS)

    def _lead(self, connection: sa.Connection) -> None:
        self.say("leading", "publishing the event log")
        metrics.IS_LEADING.set(1)
        while not self._should_stop():
            if not self.turn(connection):
                self.wait(POLL_SECONDS)

    def turn(self, connection: sa.Connection) -> bool:
        """Number what was committed and publish what is numbered; whether there was any.

        Only for the one who leads; raises LostLeadError when there is another.
        """
        heads = connection.execute(_HEADS).one()
        connection.commit()
        metrics.LAST_TURN.set_to_current_time()
        self._progress.tell()
        has_moved = heads.has_unmoved and _move_page(connection)
        count_waiting = heads.last_position - heads.published_position
        if not has_moved and count_waiting == 0:
            return False
        if time.monotonic() < self._retry_at:
            return bool(has_moved)
        if count_waiting > LAG_ROWS and self._state == "leading":
            self.say("behind", f"{count_waiting} events behind")
        return self._publish(connection, heads.published_position)

    def _publish(self, connection: sa.Connection, published: int) -> bool:
        """Publish pages in order; whether the brokers took any.

        While they work on a page, the database sequences and reads the next one.
        """
        page = _read_page(connection, published)
        for _ in range(PAGES_PER_TURN):
            if not page or self._should_stop():
                break
            sending = self._sender.submit(self._send, page)
            try:
                _move_page(connection)
                following = _read_page(connection, _last_position(page))
            finally:
                error = sending.exception()  # waits, also when the database has failed
            if isinstance(error, BrokerUnavailableError):
                self._back_off(error)
                return False
            if error is not None:
                raise error
            self._retry_seconds = RETRY_SECONDS_MIN
            published = _advance(connection, published, _last_position(page))
            self._progress.add(int(page[0][1]), published)
            page = following
        if not page:
            self.say("leading", f"up to date at position {published}")
        return True

    def _send(self, page: Sequence[Record]) -> None:
        """In the thread that waits for brokers; one page at a time, so their order is kept."""
        if self._producer is None:
            self._producer = BulkProducer(
                _connection_options(self._settings),
                _topics(self._settings),
                prefix=self._settings.kafka_topic_prefix,
                should_stop=self._should_stop,
            )
            self._producer.open()
        with metrics.PAGE_SECONDS.time():
            self._producer.publish(page)
        metrics.IS_KAFKA_UP.set(1)
        metrics.EVENTS_PUBLISHED.inc(len(page))

    def _back_off(self, error: BrokerUnavailableError) -> None:
        self._drop_producer()
        metrics.IS_KAFKA_UP.set(0)
        metrics.FAILURES.labels("kafka").inc()
        is_refused = isinstance(error, RefusedError)
        if is_refused:
            self._retry_seconds = RETRY_SECONDS_MAX
        self._retry_at = time.monotonic() + self._retry_seconds
        self._retry_seconds = min(self._retry_seconds * 2, RETRY_SECONDS_MAX)
        reason = "refuses" if is_refused else "does not answer"
        self.say(reason, f"Kafka {reason}, events wait in the event log: {error}")


def _move_page(connection: sa.Connection) -> bool:
    """Sequence what was committed, up to a page; whether there was any."""
    count_moved = move_committed(connection)
    connection.commit()
    metrics.EVENTS_SEQUENCED.inc(count_moved)
    return count_moved > 0


def _read_page(connection: sa.Connection, after: int) -> Sequence[Record]:
    """The next rows of the log as plain tuples; texts are bytes (see `open_session`)."""
    result = connection.exec_driver_sql(_PAGE, (after, PAGE_ROWS))
    assert result.cursor is not None
    rows = result.cursor.fetchall()
    connection.commit()
    assert not rows or _last_position(rows) == after + len(rows), "a hole in the event log"
    return rows


def _last_position(page: Sequence[Record]) -> int:
    return int(page[-1][1])


def _advance(connection: sa.Connection, expected: int, published: int) -> int:
    result = connection.execute(_ADVANCE, {"published": published, "expected": expected})
    if result.rowcount != 1:
        raise LostLeadError
    connection.commit()
    metrics.LAST_TURN.set_to_current_time()
    return published


def _topics(settings: RelaySettings) -> dict[str, int]:
    counts = dict.fromkeys(registry.TOPICS.values(), 1)
    counts[registry.TOPICS["task"]] = settings.kafka_task_partitions
    return counts


def _connection_options(settings: RelaySettings) -> dict[str, Any]:
    options = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_relay_username
        options["sasl_plain_password"] = settings.kafka_relay_password
    return options


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
