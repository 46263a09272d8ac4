"""What the events tell: a task's history, and what one business day brought an employee.

An event is in the outbox until the relay has numbered it, then in the event log; once it has left
that for the lake's archive, a short row of it stays in archived_task_events. Each move is one
transaction, so a single statement over all three sees each event exactly once.
"""

import datetime as dt
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, text

from ops_api.clock import Moment
from ops_api.days.queries import last_closed_date
from ops_api.days.rules import business_date_at

# A task that was reassigned every second for an hour still shows its whole history.
HISTORY_ENTRIES_MAX = 5000

_EVENTS = text("""
with events as (
    select sequence, type, occurred_at, employee_id, fee_cents, reward_cents
    from event_log where subject = :subject
    union all
    select sequence, type, occurred_at, employee_id, fee_cents, reward_cents
    from outbox where subject = :subject
    union all
    select sequence, type, occurred_at, employee_id, fee_cents, reward_cents
    from archived_task_events where task_id = :task_id
)
select
    replace(type, 'task.', '') as what,
    occurred_at,
    nullif(events.fee_cents, 0) as fee_cents,
    nullif(events.reward_cents, 0) as reward_cents,
    employees.employee_id,
    employees.name as employee_name
from events
join tasks on tasks.task_id = :task_id
join employees on employees.employee_id = coalesce(events.employee_id, tasks.created_by)
order by sequence desc limit :limit
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
    values = {"subject": str(task_id), "task_id": task_id, "limit": HISTORY_ENTRIES_MAX}
    return [HistoryEntry(**row._mapping) for row in connection.execute(_EVENTS, values)]


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
