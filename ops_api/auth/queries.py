"""Reading sessions, last sign-ins and security events."""

import datetime as dt
from uuid import UUID

from sqlalchemy import Connection, text

from ops_api.auth.models import SESSION_COLUMNS, SecurityEvent, Session
from ops_api.auth.rules import SESSION_IDLE

PAGE_EVENTS_MAX = 200
SESSIONS_SHOWN_MAX = 100
NEWEST = 2**63 - 1  # above every event's id

_LAST_SIGN_IN = text("select last_sign_in_at from employees where employee_id = :employee_id")
_SESSIONS = text(
    f"select {', '.join(SESSION_COLUMNS)} from sessions "  # noqa: S608 - our own constants
    "where employee_id = :employee_id and expires_at > :now and last_seen_at > :idle_since "
    "order by last_seen_at desc, handle limit :limit"
)
_EVENTS = text("""
select event_id, at, event, actor, actors.name as actor_name, events.employee_id,
    subjects.name as employee_name, address, detail
from security_events as events
left join employees as actors on actors.employee_id::text = actor
left join employees as subjects on subjects.employee_id = events.employee_id
where event_id < :before
    and (cast(:event as text) is null or event = :event)
    and (cast(:about as uuid) is null or events.employee_id = :about or actor = :actor)
order by event_id desc
limit :limit
""")


def last_sign_in_at(connection: Connection, employee_id: UUID) -> dt.datetime | None:
    """When this employee last signed in with a password; None: never."""
    at: dt.datetime | None = connection.execute(
        _LAST_SIGN_IN, {"employee_id": employee_id}
    ).scalar_one_or_none()
    return at


def sessions_of(connection: Connection, employee_id: UUID, *, now: dt.datetime) -> list[Session]:
    """The employee's living sessions, the one last used first."""
    values = {
        "employee_id": employee_id,
        "now": now,
        "idle_since": now - SESSION_IDLE,
        "limit": SESSIONS_SHOWN_MAX,
    }
    return [Session(**row._mapping) for row in connection.execute(_SESSIONS, values)]


def page_of_security_events(
    connection: Connection,
    *,
    before: int = NEWEST,
    limit: int = PAGE_EVENTS_MAX,
    event: str | None = None,
    employee_id: UUID | None = None,
) -> list[SecurityEvent]:
    """Events with ids below `before`, newest first; of one kind, by or about one employee."""
    assert 1 <= limit <= PAGE_EVENTS_MAX
    values = {
        "before": before,
        "limit": limit,
        "event": event,
        "about": employee_id,
        "actor": str(employee_id),
    }
    return [SecurityEvent(**row._mapping) for row in connection.execute(_EVENTS, values)]
