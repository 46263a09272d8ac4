"""Which business date a fact counts for, and which day may be closed next."""

import datetime as dt
from zoneinfo import ZoneInfo

from ops_api.errors import ConflictError

ONE_DAY = dt.timedelta(days=1)


def local_date(at: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The calendar date of a moment in the business zone; exact also when clocks change."""
    assert at.tzinfo is not None
    return at.astimezone(zone).date()


def business_date_at(at: dt.datetime, zone: ZoneInfo, last_closed: dt.date | None) -> dt.date:
    """The date a fact of this moment counts for: today, but never a day already closed."""
    today = local_date(at, zone)
    return today if last_closed is None else max(today, last_closed + ONE_DAY)


def next_to_close(last_closed: dt.date | None, first_with_events: dt.date | None) -> dt.date | None:
    """The day after the last closed one; the first day that has events when none is closed."""
    return first_with_events if last_closed is None else last_closed + ONE_DAY


def is_over(day: dt.date, at: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether a business day has ended."""
    return day < local_date(at, zone)


def require_closable(day: dt.date, *, due: dt.date | None, at: dt.datetime, zone: ZoneInfo) -> None:
    """Refuse a day that is not over, or whose turn it is not."""
    if not is_over(day, at, zone):
        raise ConflictError("day-not-over", f"{day} is not over yet in {zone.key}.")
    if due is None:
        raise ConflictError("nothing-to-close", "Nothing has happened yet: no day is due.")
    if day != due:
        raise ConflictError("not-its-turn", f"Days are closed in order; {due} is next.")


def require_removable(day: dt.date, *, is_over: bool, is_published: bool) -> None:
    """Refuse to let events up to the end of a day go while somebody has to find them in the log."""
    if not is_over:
        raise ConflictError(
            "day-still-needed", f"The end of {day} is not in the log, or comes after an open day's."
        )
    if not is_published:
        raise ConflictError("not-published", f"Not every event up to {day} is published yet.")
