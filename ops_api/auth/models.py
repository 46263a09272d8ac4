"""The tables of signing in and of what matters for security.

A session's id itself is stored nowhere: only its SHA-256.
"""

from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from ops_api.clock import Moment
from ops_api.employees.models import employees
from ops_api.metadata import metadata

# Grain: one row per signed-in browser or client. `handle` names it on pages, and opens nothing.
sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column("handle", Uuid, nullable=False, unique=True),
    Column(
        "employee_id",
        Uuid,
        ForeignKey(employees.c.employee_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("length(session_hash) = 32", "session_hash"),
)

# Grain: one row per code that a browser was sent back with; used ones stay to be recognised.
authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column(
        "session_hash",
        LargeBinary,
        ForeignKey(sessions.c.session_hash, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("code_challenge", Text, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False, index=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("redeemed_at", DateTime(timezone=True)),
    UniqueConstraint("client_id", "nonce"),
    CheckConstraint("length(code_hash) = 32", "code_hash"),
)

# Grain: one row per access token; without a session it is a service's own.
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("client_id", Text, nullable=False),
    Column(
        "session_hash",
        LargeBinary,
        ForeignKey(sessions.c.session_hash, ondelete="CASCADE"),
        index=True,
    ),
    Column("code_hash", LargeBinary, index=True),
    Column("scope", Text, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("length(token_hash) = 32", "token_hash"),
    CheckConstraint("(session_hash is null) = (code_hash is null)", "session_by_code"),
)

# Grain: one row per person who can choose a password by a link. `letter` is the mail that brings
# it, token and all (`contracts.letters`), until it is sent; what follows is the mail office's.
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column(
        "employee_id",
        Uuid,
        ForeignKey(employees.c.employee_id, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("link_id", Uuid, nullable=False, unique=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("letter", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("claimed_until", DateTime(timezone=True)),
    Column("sent_at", DateTime(timezone=True)),
    Column("last_error", Text),
    CheckConstraint("length(token_hash) = 32", "token_hash"),
    CheckConstraint("letter is null or sent_at is null", "letter"),
)

# Grain: one row per account and address, or per address, from which a sign-in failed lately.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("count_tries", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False, index=True),
)

# Grain: one row per event. No foreign key: an event outlives, and may precede, what it is about.
security_events = Table(
    "security_events",
    metadata,
    Column("event_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False, index=True),
    Column("employee_id", Uuid, index=True),
    Column("address", Text, nullable=False),
    Column("detail", Text, nullable=False),
)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A living session as its owner and admins see it."""

    handle: UUID
    address: str
    user_agent: str
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions were ended."""

    count_sessions: int


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, by whom and to whom; `detail` is `key=value` pairs.

    `actor` is an employee's id, a service's name or `nobody`; the names are those of today.
    """

    event_id: int
    at: Moment
    event: str
    actor: str
    actor_name: str | None
    employee_id: UUID | None
    employee_name: str | None
    address: str
    detail: str


SESSION_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Session))
