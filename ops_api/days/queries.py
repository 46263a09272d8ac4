"""Reading business days."""

import datetime as dt

import msgspec
from sqlalchemy import Connection, text

from ops_api.days import rules
from ops_api.days.models import CERTIFICATE_COLUMNS, Certificate

PAGE_DAYS_MAX = 1000

_COLUMNS = ", ".join(CERTIFICATE_COLUMNS)
_ONE = text(f"select {_COLUMNS} from business_days where business_date = :day")  # noqa: S608 - ours
_NEWEST = text(
    f"select {_COLUMNS} from business_days "  # noqa: S608 - the column names are our own constants
    "where business_date < :before order by business_date desc limit :limit"
)
_UNFINISHED_IMPORT = text(
    "select file_name from imports where finished_at is null and abandoned_at is null"
)
_LAST_CLOSED = text("select max(business_date) from business_days")
_DAY_IN_LOG = text("""
select
    position,
    position <= published_position as is_published,
    not exists (
        select from event_log as later
        where later.position <= event_log.position
            and later.business_date > (select max(business_date) from business_days)
    ) as is_over
from event_log cross join publications
where subject = :day and type = 'business_day.closed'
""")
_FIRST_WITH_EVENTS = text("select min(business_date) from event_log")


class DayInLog(msgspec.Struct, frozen=True):
    """The position of a day's certificate, and what is true of everything up to it."""

    position: int
    is_published: bool
    is_over: bool  # nothing of an open day, which may come before the certificate of an earlier one


def last_closed_date(connection: Connection) -> dt.date | None:
    """The newest closed date; stays true while the business day is shared or held alone."""
    closed: dt.date | None = connection.execute(_LAST_CLOSED).scalar()
    return closed


def find_day_in_log(connection: Connection, day: dt.date) -> DayInLog | None:
    """Where the log has the end of a day; None for an open day and one that has left the log."""
    row = connection.execute(_DAY_IN_LOG, {"day": day.isoformat()}).one_or_none()
    return None if row is None else DayInLog(**row._mapping)


def find_due_day(connection: Connection) -> dt.date | None:
    """The day that is closed next, over or not; None before anything has happened."""
    last_closed = last_closed_date(connection)
    first = connection.execute(_FIRST_WITH_EVENTS).scalar() if last_closed is None else None
    return rules.next_to_close(last_closed, first)


def find_certificate(connection: Connection, day: dt.date) -> Certificate | None:
    """The certificate of a day, or None while it is open."""
    row = connection.execute(_ONE, {"day": day}).one_or_none()
    return None if row is None else Certificate(**row._mapping)


def find_unfinished_import(connection: Connection) -> str | None:
    """The file of the import that still has rows to bring, if there is one."""
    name: str | None = connection.execute(_UNFINISHED_IMPORT).scalar()
    return name


def newest_certificates(
    connection: Connection, *, before: dt.date = dt.date.max, limit: int = 31
) -> list[Certificate]:
    """Closed days before a date, newest first, at most `limit` of them."""
    assert 1 <= limit <= PAGE_DAYS_MAX
    rows = connection.execute(_NEWEST, {"before": before, "limit": limit})
    return [Certificate(**row._mapping) for row in rows]
