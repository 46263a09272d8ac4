"""The one loop by which all mail leaves: claimed by one sender, sent, marked, or put back.

The order is the promise. A mail is marked only after the server took it, and with patience
(`marking.py`), so none is lost. A claim is a lease: a sender that dies between the two leaves one
mail that goes out once more, with the same Message-ID. Whoever holds a claim finishes before it
ends or leaves the row alone; `attempts` rises with every claim and tells an old holder's word from
a new one's.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from random import Random
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Engine, Row, TextClause

from contracts import logs
from pipelines import metrics
from pipelines.mail.database import create_schema, open_engine
from pipelines.mail.marking import Marker
from pipelines.mail.retry import BLOCKED_DELAY, retry_delay
from pipelines.mail.smtp import RefusedError, SmtpServer, SmtpSession, TemporaryError
from pipelines.settings import MailSettings

# Long enough for a batch against a slow server, short enough that a dead sender's mail is not late.
LEASE = dt.timedelta(seconds=300)
# No mail is begun this close to its lease's end: a slow dialogue must fit into what is left.
LEASE_MARGIN_SECONDS = 120.0
# A server that hangs up this often is left alone for the rest of the round.
CONNECTIONS_LOST_MAX = 3
BATCHES_MAX = 1_000
NOT_REACHED = "not begun: the round was over"

logger = logging.getLogger("ates.mail")


class Item(Protocol):
    """A claimed mail."""

    @property
    def mail_id(self) -> UUID:
        """Of the row it lies in."""

    @property
    def attempts(self) -> int:
        """This one included."""

    def names(self) -> Mapping[str, object]:
        """What a log line says of it."""

    def marks(self) -> Mapping[str, object]:
        """What is written down with the mark that it was sent, besides the time."""


T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Source(Generic[T]):
    """One kind of mail: what its log lines call it, its statements, and how a mail is written.

    `claim` takes :now, :claimed_until and :limit and returns rows with `mail_id` and `attempts`,
    which `read` makes items of, in the order to be sent; `mark_sent` takes :mail_id, :now and the
    item's `marks`; `put_back` :mail_id, :attempts, :is_blocked, :next_attempt_at and :error.
    """

    word: str
    claim: TextClause
    mark_sent: TextClause
    put_back: TextClause
    read: Callable[[Sequence[Row[Any]]], list[T]]
    # Takes the sender's address and the time; RefusedError or TemporaryError if it must not go.
    write: Callable[[T, str, dt.datetime], EmailMessage]
    batch_rows: int = 1


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything sending needs: where from, where to, and what it decides with."""

    engine: Engine
    server: SmtpServer
    mail_from: str
    clock: Callable[[], dt.datetime]
    rng: Random
    should_stop: Callable[[], bool] = lambda: False


@contextmanager
def open_desk(
    mail: MailSettings, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Desk]:
    """Connections are opened when first needed; makes the tables of mail when they are missing."""
    engine = open_engine(mail.database_url)
    try:
        create_schema(engine)
        yield Desk(
            engine=engine,
            server=SmtpServer.from_url(mail.smtp_url),
            mail_from=mail.mail_from,
            clock=lambda: dt.datetime.now(dt.UTC),
            rng=Random(),  # noqa: S311 - spreads retries, guards nothing
            should_stop=should_stop,
        )
    finally:
        engine.dispose()


class SendReport(msgspec.Struct):
    """What one round did: mails sent, put back for later, and set aside as blocked."""

    count_sent: int = 0
    count_retried: int = 0
    count_blocked: int = 0
    seconds: float = 0.0
    last_error: str | None = None

    def add(self, other: "SendReport") -> None:
        """Count what another connection did in the same round."""
        self.count_sent += other.count_sent
        self.count_retried += other.count_retried
        self.count_blocked += other.count_blocked
        self.last_error = other.last_error or self.last_error


def send_due(desk: Desk, *sources: Source[T], budget_seconds: float) -> SendReport:
    """Send every due mail until none is due or the time is used up, a connection a source.

    Several may run at once, here and in other processes: no two hold the same row.
    """
    started = monotonic()
    total = SendReport()
    with ThreadPoolExecutor(len(sources), thread_name_prefix="mail") as pool:
        workers = [_Worker(desk, source, started + budget_seconds) for source in sources]
        for done in [pool.submit(worker.work) for worker in workers]:
            total.add(done.result())
    total.seconds = monotonic() - started
    return total


def claim(desk: Desk, source: Source[T]) -> Sequence[Row[Any]]:
    """Take a batch of due rows; nobody else gets them before LEASE is over."""
    now = desk.clock()
    bound = {"now": now, "claimed_until": now + LEASE, "limit": source.batch_rows}
    with desk.engine.begin() as connection:
        return connection.execute(source.claim, bound).all()


def put_back(
    desk: Desk,
    source: Source[T],
    claims: Mapping[UUID, int],
    error: str,
    *,
    is_blocked: bool = False,
    is_delayed: bool = True,
) -> None:
    """Give claims up (attempts by id) with the reason; those that others hold by now stay."""
    with desk.engine.begin() as connection:
        for mail_id, attempts in claims.items():
            delay = BLOCKED_DELAY if is_blocked else retry_delay(attempts, desk.rng)
            bound = {
                "mail_id": mail_id,
                "attempts": attempts,
                "is_blocked": is_blocked,
                "next_attempt_at": desk.clock() + (delay if is_delayed else dt.timedelta()),
                "error": error,
            }
            connection.execute(source.put_back, bound)


class _Worker(Generic[T]):
    """One connection to the mail server, and the batches that go over it."""

    def __init__(self, desk: Desk, source: Source[T], deadline: float) -> None:
        self._desk = desk
        self._source = source
        self._deadline = deadline
        self._report = SendReport()
        self._marker = Marker(desk.engine)
        self._losses_left = CONNECTIONS_LOST_MAX

    def work(self) -> SendReport:
        """Batch after batch, as long as there is one, a server, and time."""
        with SmtpSession(self._desk.server) as session:
            for _ in range(BATCHES_MAX):
                if self._is_over(self._deadline) or not self._losses_left:
                    break
                rows = claim(self._desk, self._source)
                if not rows:
                    break
                self._send_batch(session, rows)
        return self._report

    def _is_over(self, deadline: float) -> bool:
        return monotonic() >= deadline or self._desk.should_stop()

    def _send_batch(self, session: SmtpSession, rows: Sequence[Row[Any]]) -> None:
        lease_deadline = monotonic() + LEASE.total_seconds() - LEASE_MARGIN_SECONDS
        left = {row.mail_id: row.attempts for row in rows}
        try:
            for item in self._source.read(rows):
                if self._is_over(min(self._deadline, lease_deadline)):
                    break
                # From here on it may be with the server: if its mark fails, its lease must end.
                del left[item.mail_id]
                self._send(session, item)
                if not self._losses_left:
                    self._put_back(left, str(self._report.last_error))
                    left = {}
                    break
        finally:
            self._marker.close()
            put_back(self._desk, self._source, left, NOT_REACHED, is_delayed=False)

    def _send(self, session: SmtpSession, item: T) -> None:
        """Send and mark one, or put it back."""
        try:
            session.send(self._written(item))
        except RefusedError as error:
            self._give_up(item, str(error), is_blocked=True)
        except TemporaryError as error:
            self._losses_left -= error.is_connection_lost
            self._give_up(item, str(error), is_blocked=False)
        else:
            bound = {"mail_id": item.mail_id, "now": self._desk.clock(), **item.marks()}
            self._marker.mark(lambda connection: connection.execute(self._source.mark_sent, bound))
            self._report.count_sent += 1
            metrics.MAIL_SENT.inc()
            logger.info(self._line("sent", item))

    def _written(self, item: T) -> EmailMessage:
        try:
            return self._source.write(item, self._desk.mail_from, self._desk.clock())
        except (ValueError, LookupError, MessageError) as error:
            # One mail that cannot be written must not hold up the others of its batch for ever.
            raise RefusedError(f"the mail cannot be written: {error}") from error

    def _give_up(self, item: T, error: str, *, is_blocked: bool) -> None:
        self._put_back({item.mail_id: item.attempts}, error, is_blocked=is_blocked)
        outcome = "blocked" if is_blocked else "put_back"
        logger.warning(self._line(outcome, item, error))

    def _put_back(
        self, claims: Mapping[UUID, int], error: str, *, is_blocked: bool = False
    ) -> None:
        put_back(self._desk, self._source, claims, error, is_blocked=is_blocked)
        self._report.last_error = error
        if is_blocked:
            self._report.count_blocked += len(claims)
        else:
            self._report.count_retried += len(claims)
        metrics.MAIL_PUT_BACK.labels("blocked" if is_blocked else "retried").inc(len(claims))

    def _line(self, outcome: str, item: T, error: str | None = None) -> str:
        event = f"{self._source.word}_{outcome}"
        return logs.line(event, **item.names(), attempts=item.attempts, error=error)
