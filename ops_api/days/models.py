"""The table of closed business days; grain: one row per closed date, written once."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, DateTime, Table

from ops_api.metadata import metadata

business_days = Table(
    "business_days",
    metadata,
    Column("business_date", Date, primary_key=True),
    Column("last_position", BigInteger, nullable=False),
    Column("count_events", BigInteger, nullable=False),
    Column("fees_cents", BigInteger, nullable=False),
    Column("rewards_cents", BigInteger, nullable=False),
    Column("is_mail_wanted", Boolean, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
    CheckConstraint(
        "last_position >= 0 and count_events >= 0 and fees_cents >= 0 and rewards_cents >= 0",
        "amounts",
    ),
)
