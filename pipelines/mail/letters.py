"""Letters that the tracker wrote: each is sent until the server has taken it, then forgotten.

A letter brings a secret, so its words leave the table with the mark that it was sent, and its row
with the end of what it brings. Claims are leases as those of deliveries are; the Message-ID is the
link's, so that a second copy can be recognised.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.errors import MessageError
from random import Random
from time import monotonic
from uuid import UUID

import msgspec
from sqlalchemy import Engine, text

from contracts import logs
from contracts.letters import Letter
from pipelines import metrics
from pipelines.mail.database import open_engine
from pipelines.mail.message import build_letter
from pipelines.mail.retry import BLOCKED_DELAY, retry_delay
from pipelines.mail.smtp import RefusedError, SmtpServer, SmtpSession, TemporaryError
from pipelines.settings import MailSettings

# Longer than the slowest dialogue with a server.
LEASE = dt.timedelta(seconds=300)
LETTERS_PER_ROUND_MAX = 100

CLAIM = text("""
update sign_in_links set attempts = attempts + 1, claimed_until = :claimed_until
where link_id in (
    select link_id from sign_in_links
    where letter is not null and coalesce(claimed_until, next_attempt_at) <= :now
    order by created_at limit 1 for update skip locked
)
returning link_id, employee_id, letter, attempts
""")
FORGET_ENDED = text("delete from sign_in_links where expires_at <= :now")
MARK_SENT = text("""
update sign_in_links set letter = null, sent_at = :now, claimed_until = null, last_error = null
where link_id = :link_id
""")
PUT_BACK = text("""
update sign_in_links
set next_attempt_at = :next_attempt_at, last_error = :error, claimed_until = null
where link_id = :link_id and attempts = :attempts and letter is not null
""")

logger = logging.getLogger("ates.mail")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that nobody else sends now."""

    link_id: UUID
    employee_id: UUID
    letter: Letter
    attempts: int


class LetterBox(msgspec.Struct, frozen=True, kw_only=True):
    """Everything sending letters needs."""

    engine: Engine
    server: SmtpServer
    mail_from: str
    clock: Callable[[], dt.datetime]
    rng: Random


@contextmanager
def open_letter_box(mail: MailSettings) -> Iterator[LetterBox]:
    """Connections are opened when first needed."""
    engine = open_engine(mail.database_url)
    try:
        yield LetterBox(
            engine=engine,
            server=SmtpServer.from_url(mail.smtp_url),
            mail_from=mail.mail_from,
            clock=lambda: dt.datetime.now(dt.UTC),
            rng=Random(),  # noqa: S311 - spreads retries, guards nothing
        )
    finally:
        engine.dispose()


def send_letters(box: LetterBox, *, budget_seconds: float) -> int:
    """Send what is due, one after the other, for about `budget_seconds`; how many were sent.

    A server that is away is left alone for the rest of the round.
    """
    deadline = monotonic() + budget_seconds
    count_sent = 0
    with box.engine.begin() as connection:
        connection.execute(FORGET_ENDED, {"now": box.clock()})
    with SmtpSession(box.server) as session:
        for _ in range(LETTERS_PER_ROUND_MAX):
            claimed = _claim(box)
            if claimed is None:
                break
            try:
                _send(box, session, claimed)
            except RefusedError as error:
                _put_back(box, claimed, str(error), BLOCKED_DELAY)
            except TemporaryError as error:
                _put_back(box, claimed, str(error), retry_delay(claimed.attempts, box.rng))
                if error.is_connection_lost:
                    break
            else:
                count_sent += 1
            if monotonic() >= deadline:
                break
    return count_sent


def _claim(box: LetterBox) -> Claimed | None:
    now = box.clock()
    with box.engine.begin() as connection:
        row = connection.execute(CLAIM, {"now": now, "claimed_until": now + LEASE}).one_or_none()
    if row is None:
        return None
    letter = msgspec.json.decode(row.letter, type=Letter)
    return Claimed(
        link_id=row.link_id, employee_id=row.employee_id, letter=letter, attempts=row.attempts
    )


def _send(box: LetterBox, session: SmtpSession, claimed: Claimed) -> None:
    now = box.clock()
    try:
        message = build_letter(
            claimed.letter, link_id=claimed.link_id, mail_from=box.mail_from, now=now
        )
    except (ValueError, LookupError, MessageError) as error:
        raise RefusedError(f"the mail cannot be written: {error}") from error
    session.send(message)
    with box.engine.begin() as connection:
        connection.execute(MARK_SENT, {"link_id": claimed.link_id, "now": now})
    metrics.MAIL_SENT.inc()
    logger.info(_line("letter_sent", claimed))


def _put_back(box: LetterBox, claimed: Claimed, error: str, delay: dt.timedelta) -> None:
    values = {
        "link_id": claimed.link_id,
        "attempts": claimed.attempts,
        "next_attempt_at": box.clock() + delay,
        "error": error,
    }
    with box.engine.begin() as connection:
        connection.execute(PUT_BACK, values)
    metrics.MAIL_PUT_BACK.labels("blocked" if delay == BLOCKED_DELAY else "retried").inc()
    logger.warning(_line("letter_put_back", claimed, error))


def _line(event: str, claimed: Claimed, error: str | None = None) -> str:
    return logs.line(
        event,
        link_id=claimed.link_id,
        employee_id=claimed.employee_id,
        attempts=claimed.attempts,
        error=error,
    )
