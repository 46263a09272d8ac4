"""Doing without an event that nobody can read: a decision of a person, kept beside the log."""

import datetime as dt

from sqlalchemy import Connection, text

from ops_api.errors import ConflictError, NotFoundError, UnacceptableError

REASON_LENGTH_MAX = 500

_FIND = text("select type, business_date from event_log where position = :position for share")
_DISCARD = text("""
insert into discarded_events
    (position, business_date, fee_cents, reward_cents, reason, discarded_by, discarded_at)
select position, business_date, fee_cents, reward_cents, :reason, :discarded_by, :now
from event_log where position = :position
on conflict (position) do nothing
""")


def discard_event(
    connection: Connection, *, position: int, reason: str, discarded_by: str, now: dt.datetime
) -> None:
    """Decide that the lake does without the event at this position of the log.

    The event stays in the log. Its day is paid without it. A second decision about the same event
    changes nothing. Raises NotFoundError, UnacceptableError without a usable reason, and
    ConflictError for a certificate, without which no day can ever be paid.
    """
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH_MAX:
        raise UnacceptableError(
            "reason-needed", f"the reason must have 1 to {REASON_LENGTH_MAX} characters"
        )
    event = connection.execute(_FIND, {"position": position}).one_or_none()
    if event is None:
        raise NotFoundError("no-such-event", f"the event log has no position {position}")
    if event.type == "business_day.closed":
        raise ConflictError(
            "certificate",
            f"position {position} is the certificate of {event.business_date}; without it neither "
            "that day nor a later one can ever be paid",
        )
    connection.execute(
        _DISCARD,
        {"position": position, "reason": reason, "discarded_by": discarded_by, "now": now},
    )
