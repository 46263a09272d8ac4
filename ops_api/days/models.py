"""The table of closed business days; grain: one row per closed date, written once."""

import datetime as dt

import msgspec
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Date, DateTime, Table

from ops_api.clock import Moment
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


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A closed day: what every copy of the event log must add up to (see BusinessDayClosedV1)."""

    business_date: dt.date
    last_position: int
    count_events: int
    fees_cents: int
    rewards_cents: int
    is_mail_wanted: bool
    closed_at: Moment


CERTIFICATE_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Certificate))
