"""What can be done with tasks: create, complete, reassign. Each is one use of one transaction.

Locks first, then what must be known (two statements, one round trip: see `ops_api.locks`), then
the change together with its events in a single statement. What is done all day long, creating and
completing, is prepared by each database session, and planned first and written by the caller, so
that more can travel with it.
"""

from uuid import UUID

import msgspec
from sqlalchemy import Connection

from contracts.events import TaskAssignedV1, TaskCompletedV1, TaskCreatedV2
from contracts.upcasts import split_jira_id
from ops_api import locks
from ops_api.context import CommandContext
from ops_api.days.rules import business_date_at
from ops_api.employees.models import ASSIGNABLE
from ops_api.errors import NotFoundError
from ops_api.outbox.commands import event, insert_parameters, insert_sql
from ops_api.planning import Planned
from ops_api.prepared import Prepared
from ops_api.tasks import rules
from ops_api.tasks.models import DONE, OPEN, TASK_COLUMNS, Task

# `share` in [0, 1) picks one of the assignable employees, each equally likely.
_DRAW = Prepared(
    "draw_assignee",
    f"""
select
    (select max(business_date) from business_days) as last_closed,
    (array_agg(employee_id))[1 + floor(cast(:share as float8) * count(*))::int] as assignee_id
from (select employee_id from employees where {ASSIGNABLE} order by employee_id) as staff
""",  # noqa: S608 - the condition is our own constant
    before=locks.SHARE_BUSINESS_DAY_AND_STAFF,
)

_CREATE = Prepared(
    "create_task",
    f"""
with task as (
    insert into tasks ({", ".join(TASK_COLUMNS)})
    values ({", ".join(f":{name}" for name in TASK_COLUMNS)})
)
{insert_sql(2)}
""",  # noqa: S608 - the column names are our own constants
)

_LOCK = Prepared(
    "lock_task",
    f"""
select {", ".join(TASK_COLUMNS)}, (select max(business_date) from business_days) as last_closed
from tasks where task_id = :task_id
for no key update of tasks
""",  # noqa: S608 - the column names are our own constants
    before=locks.SHARE_BUSINESS_DAY,
)

_COMPLETE = Prepared(
    "complete_task",
    f"""
with task as (
    update tasks set status = 'done', completed_at = :completed_at, version = :version
    where task_id = :task_id
)
{insert_sql(1)}
""",  # noqa: S608 - the column names are our own constants
)


def create_task(connection: Connection, context: CommandContext, *, title: str) -> Task:
    """Create a task as `plan_task` has it; raises what that raises."""
    return plan_task(connection, context, title=title).write(connection)


def complete_task(connection: Connection, context: CommandContext, *, task_id: UUID) -> Task:
    """Complete a task as `plan_completion` has it; raises what that raises."""
    return plan_completion(connection, context, task_id=task_id).write(connection)


def plan_task(connection: Connection, context: CommandContext, *, title: str) -> Planned[Task]:
    """A task with drawn prices for a drawn employee, who will be charged as soon as it is written.

    Raises UnacceptableError for a bad title, ConflictError when nobody can be drawn.
    """
    assert context.actor_id is not None, "a task has somebody who created it"
    jira_id, bare_title = split_jira_id(rules.clean_title(title))
    drawn = _DRAW.execute(connection, {"share": context.rng.random()}).one()
    if drawn.assignee_id is None:
        rules.require_assignable(count_open_tasks=1)
    now = context.clock()
    prices = rules.draw_prices(context.rng)
    task = Task(
        task_id=context.new_id(now),
        title=rules.clean_title(bare_title),
        jira_id=jira_id,
        status=OPEN,
        assignee_id=drawn.assignee_id,
        fee_cents=prices.fee_cents,
        reward_cents=prices.reward_cents,
        assignment_number=1,
        version=2,
        created_by=context.actor_id,
        created_at=now,
    )
    day = business_date_at(now, context.business_timezone, drawn.last_closed)
    rows = [
        event(context, _created(task), sequence=1, occurred_at=now, business_date=day),
        event(context, _assigned(task), sequence=2, occurred_at=now, business_date=day),
    ]
    return Planned(task, _CREATE, msgspec.structs.asdict(task) | insert_parameters(rows))


def plan_completion(
    connection: Connection, context: CommandContext, *, task_id: UUID
) -> Planned[Task]:
    """Mark the actor's own open task done; for a task the actor has done, just return it.

    Raises NotFoundError, or ConflictError when the task is (by now) somebody else's.
    """
    row = _LOCK.execute(connection, {"task_id": task_id}).one_or_none()
    if row is None:
        raise NotFoundError("no-such-task", "There is no such task.")
    task = Task(**{name: getattr(row, name) for name in TASK_COLUMNS})
    decision = rules.decide_completion(
        is_done=task.status == DONE, is_assignee=task.assignee_id == context.actor_id
    )
    if decision is rules.Completion.BEFORE:
        return Planned(task)
    now = context.clock()
    done = msgspec.structs.replace(task, status=DONE, completed_at=now, version=task.version + 1)
    day = business_date_at(now, context.business_timezone, row.last_closed)
    completed = event(
        context, _completed(done), sequence=done.version, occurred_at=now, business_date=day
    )
    change = {"task_id": task_id, "completed_at": now, "version": done.version}
    return Planned(done, _COMPLETE, change | insert_parameters([completed]))


def _created(task: Task) -> TaskCreatedV2:
    return TaskCreatedV2(
        task_id=task.task_id,
        title=task.title,
        jira_id=task.jira_id,
        fee_cents=task.fee_cents,
        reward_cents=task.reward_cents,
        created_by=task.created_by,
        external_id=task.external_id,
    )


def _assigned(task: Task) -> TaskAssignedV1:
    return TaskAssignedV1(
        task_id=task.task_id,
        assignee_id=task.assignee_id,
        assignment_number=task.assignment_number,
        fee_cents=task.fee_cents,
        title=task.title,
    )


def _completed(task: Task) -> TaskCompletedV1:
    return TaskCompletedV1(
        task_id=task.task_id,
        employee_id=task.assignee_id,
        reward_cents=task.reward_cents,
        title=task.title,
    )
