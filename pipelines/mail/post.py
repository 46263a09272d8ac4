"""Mails that wait in a table, sent one after the other until the server has taken each.

The order is the promise, as with deliveries: claimed by one sender, marked after the server's 250,
with the same patience (`marking.py`).
A claim is a lease, so a sender that dies between the two costs one copy with the same Message-ID.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.message import EmailMessage
from random import Random
from time import monotonic
from typing import Generic, Protocol, TypeVar
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

# Longer than the slowest dialogue with a server.
LEASE = dt.timedelta(seconds=300)
MAILS_PER_ROUND_MAX = 100

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


T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Pile(Generic[T]):
    """One kind of mail: what its log lines call it, its statements, and how a mail is written.

    `claim` takes :now and :claimed_until and returns at most one row, which `read` understands;
    `mark_sent` takes :mail_id and :now; `put_back` :mail_id, :attempts, :next_attempt_at, :error.
    """

    word: str
    claim: TextClause
    mark_sent: TextClause
    put_back: TextClause
    read: Callable[[Row[tuple[object, ...]]], T]
    write: Callable[[T, str, dt.datetime], EmailMessage]


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything sending needs."""

    engine: Engine
    server: SmtpServer
    mail_from: str
    clock: Callable[[], dt.datetime]
    rng: Random


@contextmanager
def open_desk(mail: MailSettings) -> Iterator[Desk]:
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
        )
    finally:
        engine.dispose()


def send_pile(desk: Desk, pile: Pile[T], *, budget_seconds: float) -> int:
    """Send what is due for about `budget_seconds`; how many were sent.

    A server that is away is left alone for the rest of the round.
    """
    deadline = monotonic() + budget_seconds
    count_sent = 0
    with SmtpSession(desk.server) as session:
        for _ in range(MAILS_PER_ROUND_MAX):
            item = _claim(desk, pile)
            if item is None:
                break
            try:
                _send(desk, pile, session, item)
            except RefusedError as error:
                _put_back(desk, pile, item, str(error), BLOCKED_DELAY)
            except TemporaryError as error:
                _put_back(desk, pile, item, str(error), retry_delay(item.attempts, desk.rng))
                if error.is_connection_lost:
                    break
            else:
                count_sent += 1
            if monotonic() >= deadline:
                break
    return count_sent


def _claim(desk: Desk, pile: Pile[T]) -> T | None:
    now = desk.clock()
    with desk.engine.begin() as connection:
        bound = {"now": now, "claimed_until": now + LEASE}
        row = connection.execute(pile.claim, bound).one_or_none()
    return None if row is None else pile.read(row)


def _send(desk: Desk, pile: Pile[T], session: SmtpSession, item: T) -> None:
    now = desk.clock()
    try:
        message = pile.write(item, desk.mail_from, now)
    except (ValueError, LookupError, MessageError) as error:
        raise RefusedError(f"the mail cannot be written: {error}") from error
    session.send(message)
    values = {"mail_id": item.mail_id, "now": now}
    with closing(Marker(desk.engine)) as marker:
        marker.mark(lambda connection: connection.execute(pile.mark_sent, values))
    metrics.MAIL_SENT.inc()
    logger.info(_line(f"{pile.word}_sent", item))


def _put_back(desk: Desk, pile: Pile[T], item: T, error: str, delay: dt.timedelta) -> None:
    values = {
        "mail_id": item.mail_id,
        "attempts": item.attempts,
        "next_attempt_at": desk.clock() + delay,
        "error": error,
    }
    with desk.engine.begin() as connection:
        connection.execute(pile.put_back, values)
    metrics.MAIL_PUT_BACK.labels("blocked" if delay == BLOCKED_DELAY else "retried").inc()
    logger.warning(_line(f"{pile.word}_put_back", item, error))


def _line(event: str, item: Item, error: str | None = None) -> str:
    return logs.line(event, **item.names(), attempts=item.attempts, error=error)
