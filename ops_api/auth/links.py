"""Links that let somebody choose a password, once: 256 random bits, only their SHA-256 kept.

A person has one link at most, so a newer one ends the older; a new password, another address and
leaving end it, too. Its letter, which holds the token, lies in the same row until it is sent.
"""

import datetime as dt
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection, text

from contracts.letters import Letter
from ops_api.auth.tokens import hashed

_ADDRESSEE = """
select employee_id, name, email, language, password_hash is null as is_first
from employees where is_active
"""
_BY_ID = text(f"{_ADDRESSEE} and employee_id = :employee_id")
_BY_EMAIL = text(f"{_ADDRESSEE} and lower(email) = lower(:email)")
# Nobody's row, or one that is too fresh to be replaced: nothing is written, as fast as otherwise.
_KEEP = text("""
insert into sign_in_links as link (
    employee_id, link_id, token_hash, created_at, expires_at, letter, next_attempt_at
)
select employee_id, :link_id, :token_hash, :now, :expires_at, :letter, :now
from employees where employee_id = :employee_id and is_active
on conflict (employee_id) do update set
    link_id = excluded.link_id, token_hash = excluded.token_hash,
    created_at = excluded.created_at, expires_at = excluded.expires_at,
    letter = excluded.letter, next_attempt_at = excluded.next_attempt_at,
    attempts = 0, claimed_until = null, sent_at = null, last_error = null
where link.created_at <= :replaceable or link.expires_at <= :now
""")
_FIND = text("""
select employee_id, name, email, language, password_hash is null as is_first
from sign_in_links join employees using (employee_id)
where token_hash = :token_hash and expires_at > :now and is_active
""")
_USE = text("""
delete from sign_in_links where token_hash = :token_hash and expires_at > :now
""")
_STATE = text("""
select created_at, expires_at, letter is not null as is_waiting, sent_at, last_error
from sign_in_links where employee_id = :employee_id and expires_at > :now
""")


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets a link; `language` is the one they last read in, `is_first`: no password yet."""

    employee_id: UUID
    name: str
    email: str
    language: str | None = None
    is_first: bool = False


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """How far somebody's living link is; neither waiting nor sent: it was shown in a shell."""

    created_at: dt.datetime
    expires_at: dt.datetime
    is_waiting: bool
    sent_at: dt.datetime | None
    last_error: str | None


def find_addressee(connection: Connection, employee_id: UUID) -> Addressee | None:
    """An active employee."""
    row = connection.execute(_BY_ID, {"employee_id": employee_id}).one_or_none()
    return None if row is None else Addressee(**row._mapping)


def find_addressee_by_email(connection: Connection, email: str) -> Addressee:
    """The active employee with this address, or a stand-in who gets nothing as fast."""
    row = connection.execute(_BY_EMAIL, {"email": email}).one_or_none()
    if row is None:
        return Addressee(employee_id=uuid4(), name="Nobody", email="nobody@example.com")
    return Addressee(**row._mapping)


def keep_link(
    connection: Connection,
    employee_id: UUID,
    token: str,
    *,
    now: dt.datetime,
    expires_at: dt.datetime,
    letter: Letter | None,
    pause: dt.timedelta,
) -> None:
    """Write a link down in place of an older one, unless that is not as old as the pause."""
    values = {
        "employee_id": employee_id,
        "link_id": uuid4(),
        "token_hash": hashed(token),
        "now": now,
        "expires_at": expires_at,
        "letter": None if letter is None else msgspec.json.encode(letter).decode(),
        "replaceable": now - pause,
    }
    connection.execute(_KEEP, values)


def find_link(connection: Connection, token: str, now: dt.datetime) -> Addressee | None:
    """Whose link this is, while it works; looking does not use it up."""
    row = connection.execute(_FIND, {"token_hash": hashed(token), "now": now}).one_or_none()
    return None if row is None else Addressee(**row._mapping)


def use_link(connection: Connection, token: str, now: dt.datetime) -> bool:
    """Use a link up; False if it does not work any more."""
    return connection.execute(_USE, {"token_hash": hashed(token), "now": now}).rowcount == 1


def find_state(connection: Connection, employee_id: UUID, now: dt.datetime) -> LinkState | None:
    """How far the employee's link is, while it works."""
    row = connection.execute(_STATE, {"employee_id": employee_id, "now": now}).one_or_none()
    return None if row is None else LinkState(**row._mapping)
