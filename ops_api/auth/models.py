"""The table of sessions; grain: one row per signed-in browser or client.

The session's id itself is stored nowhere: only its SHA-256.
"""

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKey, LargeBinary, Table, Uuid

from ops_api.employees.models import employees
from ops_api.metadata import metadata

sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", LargeBinary, primary_key=True),
    Column(
        "employee_id",
        Uuid,
        ForeignKey(employees.c.employee_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("length(session_hash) = 32", "session_hash"),
)
