"""The tables of signing in and of what matters for security.

A session's id itself is stored nowhere: only its SHA-256.
"""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

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
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, by whom and to whom; `detail` is `key=value` pairs.

    `actor` is an employee's id, a service's name or `nobody`; the names are those of today.
    """

    event_id: int
    at: dt.datetime
    event: str
    actor: str
    actor_name: str | None
    employee_id: UUID | None
    employee_name: str | None
    address: str
    detail: str


SESSION_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Session))
