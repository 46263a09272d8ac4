"""The table of answered requests; grain: one row per actor and Idempotency-Key."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from ops_api.metadata import metadata

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("length(key) between 1 and 200", "key"),
    CheckConstraint("length(request_hash) = 32", "request_hash"),
    CheckConstraint("status between 200 and 499", "status"),
)
