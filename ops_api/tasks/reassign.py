"""Reassigning open tasks: one statement for all of them, however many there are.

Every task gets a fresh, independent draw among the assignable employees, its fee is charged again
even when the same employee is drawn, and all events of one reassignment share a correlation id.
"""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from contracts import registry
from contracts.events import TaskAssignedV1
from ops_api import locks
from ops_api.context import CommandContext
from ops_api.days.rules import business_date_at
from ops_api.employees.models import ASSIGNABLE
from ops_api.outbox.bulk import Template, cut
from ops_api.tasks.rules import require_assignable

_TYPE, _VERSION = "task.assigned", 1

# Values that no real event has; each stands for what the SQL beside it brings.
_EVENT, _TASK, _ASSIGNEE = (UUID(int=number) for number in (1, 2, 3))
# Longer than any run of digits in an id or a time, so that they are found nowhere else.
_NUMBER, _SEQUENCE, _FEE = (9_000_000_000_000_000_001 + number for number in range(3))
_TITLE = "*title*"
_MARKERS = {
    str(_EVENT): "event_id",
    str(_TASK): "task_id",
    str(_ASSIGNEE): "assignee_id",
    str(_NUMBER): "assignment_number",
    str(_SEQUENCE): "version",
    str(_FEE): "fee_cents",
    f'"{_TITLE}"': "to_json(title)",
}


class Reassignment(msgspec.Struct, frozen=True, kw_only=True):
    """How many open tasks were drawn anew, under which correlation id."""

    count_tasks: int
    correlation_id: UUID


def _template(now: dt.datetime, day: dt.date, correlation_id: UUID) -> Template:
    body = registry.encode(
        TaskAssignedV1(
            task_id=_TASK,
            assignee_id=_ASSIGNEE,
            assignment_number=_NUMBER,
            fee_cents=_FEE,
            title=_TITLE,
        ),
        event_id=_EVENT,
        subject=str(_TASK),
        sequence=_SEQUENCE,
        occurred_at=now,
        business_date=day,
        correlation_id=correlation_id,
    )
    return cut(body, _MARKERS)


_LAYOUT = _template(dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.date(2000, 1, 1), UUID(int=4))

_FACTS = text(f"""
{locks.SHARE_BUSINESS_DAY_AND_STAFF}
select pg_advisory_xact_lock({locks.REASSIGN});
select
    (select max(business_date) from business_days) as last_closed,
    exists (select from employees where {ASSIGNABLE}) as has_assignable,
    (
        select count(*) from tasks
        where status = 'open' and (assignee_id = :leaver_id or :leaver_id is null)
    ) as count_open
""")  # noqa: S608 - the condition is our own constant

# One pass over the open tasks, each with a draw of its own (`random` is volatile, so it is called
# for every row), and their events. A task completed meanwhile is left alone: PostgreSQL waits for
# the rival and looks at the row again. The event ids carry the command's own moment.
_REASSIGN = text(f"""
with staff as materialized (
    select array_agg(employee_id) as ids from employees where {ASSIGNABLE}
),
reassigned as (
    update tasks
    set assignee_id = staff.ids[random(1, cardinality(staff.ids))],
        assignment_number = assignment_number + 1,
        version = version + 1
    from staff
    where status = 'open' and (assignee_id = :leaver_id or :leaver_id is null)
    returning tasks.*, uuidv7(:occurred_at - clock_timestamp()) as event_id
)
insert into outbox (
    event_id, type, version, topic, subject, sequence, occurred_at, business_date, correlation_id,
    fee_cents, employee_id, body
)
select
    event_id, '{_TYPE}', {_VERSION}, '{registry.topic_of(_TYPE)}', task_id::text, version,
    :occurred_at, :business_date, :correlation_id, fee_cents, assignee_id,
    {_LAYOUT.expression()}
from reassigned
""")  # noqa: S608 - built of our own constants; values travel as parameters


def reassign_open_tasks(
    connection: Connection, context: CommandContext, *, leaver_id: UUID | None = None
) -> Reassignment:
    """Draw all open tasks anew, or only those of `leaver_id`, who must not be assignable any more.

    Raises ConflictError when there are open tasks and nobody can be drawn. The caller checks that
    the actor may do this.
    """
    facts = connection.execute(_FACTS, {"leaver_id": leaver_id}).one()
    if not facts.has_assignable:
        require_assignable(facts.count_open)
    now = context.clock()
    day = business_date_at(now, context.business_timezone, facts.last_closed)
    template = _template(now, day, context.correlation_id)
    assert template.holes == _LAYOUT.holes
    stamp = {
        "occurred_at": now,
        "business_date": day,
        "correlation_id": context.correlation_id,
    }
    result = connection.execute(_REASSIGN, {"leaver_id": leaver_id} | stamp | template.parameters())
    return Reassignment(count_tasks=result.rowcount, correlation_id=context.correlation_id)
