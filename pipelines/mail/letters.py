"""Letters that the tracker wrote: each is sent until the server has taken it, then forgotten.

A letter brings a secret, so its words leave the table with the mark that it was sent, and its row
with the end of what it brings. The Message-ID is the link's, so that a second copy can be
recognised.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, text

from contracts.letters import Letter
from pipelines import metrics
from pipelines.mail.message import build_letter
from pipelines.mail.post import Desk, Source, send_due

CLAIM = text("""
update sign_in_links set attempts = attempts + 1, claimed_until = :claimed_until
where link_id in (
    select link_id from sign_in_links
    where letter is not null and coalesce(claimed_until, next_attempt_at) <= :now
    order by created_at limit :limit for update skip locked
)
returning link_id as mail_id, employee_id, letter, attempts
""")
FORGET_ENDED = text("delete from sign_in_links where expires_at <= :now")
MARK_SENT = text("""
update sign_in_links set letter = null, sent_at = :now, claimed_until = null, last_error = null
where link_id = :mail_id
""")
PUT_BACK = text("""
update sign_in_links
set next_attempt_at = :next_attempt_at, last_error = :error, claimed_until = null
where link_id = :mail_id and attempts = :attempts and letter is not null
""")
WAITING_SINCE = text("select min(created_at) from sign_in_links where letter is not null")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that nobody else sends now."""

    mail_id: UUID
    employee_id: UUID
    letter: Letter
    attempts: int

    def names(self) -> Mapping[str, object]:
        """Whose it is; never what it brings."""
        return {"link_id": self.mail_id, "employee_id": self.employee_id}

    def marks(self) -> Mapping[str, object]:
        """Nothing besides."""
        return {}


def send_letters(desk: Desk, *, budget_seconds: float) -> int:
    """Send what is due, one after the other, for about `budget_seconds`; how many were sent."""
    with desk.engine.begin() as connection:
        connection.execute(FORGET_ENDED, {"now": desk.clock()})
    count_sent = send_due(desk, LETTERS, budget_seconds=budget_seconds).count_sent
    with desk.engine.connect() as connection:
        metrics.note_letters(connection.scalar(WAITING_SINCE), desk.clock())
    return count_sent


def _read(rows: Sequence[Row[Any]]) -> list[Claimed]:
    return [
        Claimed(
            mail_id=row.mail_id,
            employee_id=row.employee_id,
            letter=msgspec.json.decode(row.letter, type=Letter),
            attempts=row.attempts,
        )
        for row in rows
    ]


def _write(claimed: Claimed, mail_from: str, now: dt.datetime) -> EmailMessage:
    return build_letter(claimed.letter, link_id=claimed.mail_id, mail_from=mail_from, now=now)


LETTERS = Source("letter", CLAIM, MARK_SENT, PUT_BACK, _read, _write)
