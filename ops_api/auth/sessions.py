"""Server-side sessions: 256 random bits in the browser, only their SHA-256 in the database."""

import datetime as dt
import hashlib
import hmac
import secrets
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection, text

from ops_api.auth import rules
from ops_api.auth.identity import Identity
from ops_api.prepared import Prepared

SESSION_BYTES = 32
SESSION_ID_LENGTH = 43  # of SESSION_BYTES in base64 without padding
PURGED_PER_SIGN_IN_MAX = 100
USER_AGENT_LENGTH_MAX = 300

_INSERT = text("""
insert into sessions (
    session_hash, handle, employee_id, address, user_agent, created_at, last_seen_at, expires_at
)
values (:session_hash, :handle, :employee_id, :address, :user_agent, :now, :now, :expires_at)
""")
_FIND = Prepared(
    "find_session",
    """
select employee_id, name, email, role, handle, created_at, last_seen_at, sessions.expires_at
from sessions join employees using (employee_id)
where session_hash = :session_hash and is_active
""",
)
_MARK = text("update sessions set last_seen_at = :now where session_hash = :session_hash")
_DELETE = text("delete from sessions where session_hash = :session_hash")
_PURGE = text("""
delete from sessions where session_hash in (
    select session_hash from sessions where expires_at < :now
    order by expires_at limit :limit for update skip locked
)
""")


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """When, from where, with which browser and in which language somebody comes."""

    now: dt.datetime
    address: str
    user_agent: str
    language: str


class LivingSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that counts at this moment, and whose it is."""

    identity: Identity
    session_hash: bytes
    handle: UUID
    created_at: dt.datetime


def start_session(
    connection: Connection,
    *,
    employee_id: UUID,
    now: dt.datetime,
    address: str = "",
    user_agent: str = "",
) -> str:
    """Begin a session and return its id, which is to be stored nowhere but in the browser.

    Address and user agent tell its owner later which of several it is.
    """
    session_id = secrets.token_urlsafe(SESSION_BYTES)
    connection.execute(_PURGE, {"now": now, "limit": PURGED_PER_SIGN_IN_MAX})
    connection.execute(
        _INSERT,
        {
            "session_hash": _hash(session_id),
            "handle": uuid4(),
            "employee_id": employee_id,
            "address": address,
            "user_agent": clean_agent(user_agent),
            "now": now,
            "expires_at": now + rules.SESSION_LIFETIME,
        },
    )
    return session_id


def find_session(
    connection: Connection, session_id: str, *, now: dt.datetime
) -> LivingSession | None:
    """The session, its employee as they are now; None for a dead, foreign or unknown one."""
    if len(session_id) != SESSION_ID_LENGTH:
        return None
    session_hash = _hash(session_id)
    row = _FIND.execute(connection, {"session_hash": session_hash}).one_or_none()
    if row is None or not rules.is_alive(
        now, last_seen_at=row.last_seen_at, expires_at=row.expires_at
    ):
        return None
    if rules.is_worth_marking(now, row.last_seen_at):
        connection.execute(_MARK, {"session_hash": session_hash, "now": now})
    return LivingSession(
        identity=Identity(
            employee_id=row.employee_id, name=row.name, email=row.email, role=row.role
        ),
        session_hash=session_hash,
        handle=row.handle,
        created_at=row.created_at,
    )


def forget_session(connection: Connection, session_id: str) -> None:
    """Make a session id worthless from now on."""
    connection.execute(_DELETE, {"session_hash": _hash(session_id)})


def csrf_token(session_id: str) -> str:
    """The token that forms of this session carry; it reveals nothing about the session's id."""
    return hmac.new(session_id.encode(), b"form", hashlib.sha256).hexdigest()


def is_csrf_token(session_id: str, token: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(csrf_token(session_id).encode(), token.encode("utf-8", "replace"))


def clean_agent(user_agent: str) -> str:
    """What a browser calls itself, printable and of bounded length."""
    return "".join(filter(str.isprintable, user_agent))[:USER_AGENT_LENGTH_MAX]


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode("utf-8", "replace")).digest()
