"""What the events tell: a task's history, and what one business day brought an employee.

An event is in the outbox until the relay has numbered it and in the event log from then on; moving
it is one transaction, so a single statement over both sees each event exactly once.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, text

from contracts import registry
from contracts.events import EventData, TaskAssignedV1, TaskCompletedV1, TaskCreatedV2
from ops_api.clock import Moment
from ops_api.days.queries import last_closed_date
from ops_api.days.rules import business_date_at

# A task that was reassigned every second for an hour still shows its whole history.
HISTORY_ENTRIES_MAX = 5000

_EVENTS = text("""
with events as (
    select sequence, occurred_at, body from event_log where subject = :subject
    union all
    select sequence, occurred_at, body from outbox where subject = :subject
)
select occurred_at, body from events order by sequence desc limit :limit
""")
_NAMES = text("""
select employee_id, name from employees where employee_id = any(cast(:ids as uuid[]))
""")
_DAY = text("""
with moved as (
    select fee_cents, reward_cents from event_log
    where employee_id = :employee_id and business_date = :day
    union all
    select fee_cents, reward_cents from outbox
    where employee_id = :employee_id and business_date = :day
)
select
    coalesce(sum(fee_cents), 0)::bigint as fees_cents,
    coalesce(sum(reward_cents), 0)::bigint as rewards_cents,
    count(*) filter (where fee_cents > 0) as count_assigned,
    count(*) filter (where reward_cents > 0) as count_completed
from moved
""")


What = Literal["created", "assigned", "completed"]
_WORDS: dict[type[EventData], What] = {
    TaskCreatedV2: "created",
    TaskAssignedV1: "assigned",
    TaskCompletedV1: "completed",
}


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a task; the employee is who created, got or completed it.

    An assignment names the fee it was charged, a completion the reward it brought.
    """

    what: What
    occurred_at: Moment
    employee_id: UUID
    employee_name: str
    fee_cents: int | None = None
    reward_cents: int | None = None


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """What the business day so far has charged and brought an employee, in cents."""

    business_date: dt.date
    fees_cents: int
    rewards_cents: int
    earned_cents: int
    count_assigned: int
    count_completed: int


def history_of(connection: Connection, task_id: UUID) -> list[HistoryEntry]:
    """Everything that happened to a task, newest first, at most HISTORY_ENTRIES_MAX entries."""
    rows = connection.execute(_EVENTS, {"subject": str(task_id), "limit": HISTORY_ENTRIES_MAX})
    facts = [(row.occurred_at, registry.decode(row.body)[1]) for row in rows]
    names = _names(connection, {_employee_of(data) for _, data in facts})
    return [_entry(occurred_at, data, names) for occurred_at, data in facts]


def today_of(
    connection: Connection, employee_id: UUID, *, now: dt.datetime, zone: ZoneInfo
) -> Today:
    """An employee's fees and rewards of the running business day."""
    day = business_date_at(now, zone, last_closed_date(connection))
    found = connection.execute(_DAY, {"employee_id": employee_id, "day": day}).one()
    return Today(
        business_date=day,
        earned_cents=found.rewards_cents - found.fees_cents,
        **found._mapping,
    )


def _entry(occurred_at: dt.datetime, data: EventData, names: dict[UUID, str]) -> HistoryEntry:
    employee_id = _employee_of(data)
    return HistoryEntry(
        what=_WORDS[type(data)],
        occurred_at=occurred_at,
        employee_id=employee_id,
        employee_name=names.get(employee_id, ""),
        fee_cents=data.fee_cents if isinstance(data, TaskAssignedV1) else None,
        reward_cents=data.reward_cents if isinstance(data, TaskCompletedV1) else None,
    )


def _employee_of(data: EventData) -> UUID:
    match data:
        case TaskCreatedV2():
            return data.created_by
        case TaskAssignedV1():
            return data.assignee_id
        case TaskCompletedV1():
            return data.employee_id
    raise AssertionError("a task's events are these three")


def _names(connection: Connection, employee_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = connection.execute(_NAMES, {"ids": sorted(map(str, employee_ids))})
    return {row.employee_id: row.name for row in rows}
