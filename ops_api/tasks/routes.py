"""Tasks over HTTP, as JSON; the same handlers serve the page's forms."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from flask import Blueprint, request
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Connection

from ops_api.auth.identity import Identity
from ops_api.errors import NotAllowedError, NotFoundError
from ops_api.idempotency.commands import Answer
from ops_api.security_log import log_refusal, log_security
from ops_api.tasks import commands, queries
from ops_api.tasks.history import HistoryEntry, Today, history_of, today_of
from ops_api.tasks.models import OPEN, Task
from ops_api.tasks.reassign import Reassignment, reassign_open_tasks
from ops_api.tasks.rules import TITLE_LENGTH_MAX, may_see
from ops_api.web.answers import carry_out
from ops_api.web.guard import employee
from ops_api.web.operations import operation
from ops_api.web.rights import Right
from ops_api.web.state import tracker
from ops_api.web.texts import Words, line

REASSIGNERS: tuple[Right, ...] = ("manager", "admin")

TaskCursor = Annotated[str, Meta(extra_json_schema={"format": "cursor"})]

blueprint = Blueprint("tasks", __name__, url_prefix="/api/v1")


class NewTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that anybody may say about a new task; `[POPUG-123] - ` before it is a Jira id."""

    title: Annotated[str, line(TITLE_LENGTH_MAX)]


class TaskListing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks to list.

    `mine` are one's own open (or done) tasks; `all` are everybody's, for managers and admins, who
    may name an assignee. `words` occur in the title or the Jira id, in any case of letters.
    """

    scope: Literal["mine", "all"] = "mine"
    status: Literal["open", "done"] | UnsetType = UNSET
    assignee_id: UUID | UnsetType = UNSET
    words: Words = ""
    cursor: TaskCursor | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_TASKS_MAX)] = 50


class TaskWithHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A task and everything that happened to it, newest first."""

    task: Task
    history: list[HistoryEntry]


@blueprint.get("/tasks")
@operation("employee", scope="tasks:read", answer=queries.TaskPage)
def list_tasks(query: TaskListing) -> queries.TaskPage:
    """One's own open (or done) tasks, or everybody's, a page at a time."""
    who = employee()
    if who.role not in REASSIGNERS and (query.scope == "all" or query.assignee_id):
        log_refusal("refused", actor=who.employee_id, path=request.path, scope=query.scope)
        raise NotAllowedError("not-allowed", "Only managers and admins see everybody's tasks.")
    return tracker().read(lambda each: _page(each, who, query))


@blueprint.get("/tasks/<uuid:task_id>")
@operation("manager", "admin", "owner", scope="tasks:read", answer=TaskWithHistory)
def get_task(task_id: UUID) -> TaskWithHistory:
    """A task with its history; others than managers and admins see what they hold or created."""
    return tracker().read(lambda each: visible_task(each, employee(), task_id))


@blueprint.post("/tasks")
@operation(
    "employee",
    scope="tasks:write",
    answer=Task,
    status=201,
    conflicts=("no-assignable-employee",),
)
def post_task(key: str, body: NewTask) -> Answer:
    """Create a task; who gets it and what it costs is drawn."""
    return create(key, body.title)


@blueprint.post("/tasks/<uuid:task_id>/complete")
@operation("owner", scope="tasks:write", answer=Task, conflicts=("not-the-assignee",))
def post_completion(key: str, task_id: UUID) -> Answer:
    """Complete one's own open task."""
    return complete(key, task_id)


@blueprint.post("/tasks/reassign")
@operation(
    *REASSIGNERS, scope="tasks:write", answer=Reassignment, conflicts=("no-assignable-employee",)
)
def post_reassignment(key: str) -> Answer:
    """Draw every open task anew; whoever gets one is charged its fee again."""
    return reassign(key)


@blueprint.get("/me/today")
@operation("employee", scope="tasks:read", answer=Today)
def get_today() -> Today:
    """What the business day so far has charged and brought the caller."""
    return tracker().read(lambda each: today(each, employee()))


def create(key: str, title: str) -> Answer:
    """Create a task for the caller, once per key."""
    return carry_out(
        key,
        lambda connection, context: commands.plan_task(connection, context, title=title),
        status=201,
        is_cheap=True,
    )


def complete(key: str, task_id: UUID) -> Answer:
    """Complete the caller's task, once per key."""
    return carry_out(
        key,
        lambda connection, context: commands.plan_completion(connection, context, task_id=task_id),
        is_cheap=True,
    )


def reassign(key: str) -> Answer:
    """Reassign all open tasks for the caller, once per key."""
    answer = carry_out(key, reassign_open_tasks)
    log_security(
        "reassigned", actor=employee().employee_id, status=answer.status, path=request.path
    )
    return answer


def visible_task(connection: Connection, who: Identity, task_id: UUID) -> TaskWithHistory:
    """A task as this employee may see it; raises NotFoundError, NotAllowedError."""
    task = queries.find_task(connection, task_id)
    if task is None:
        raise NotFoundError("no-such-task", "There is no such task.")
    is_own = who.employee_id in {task.assignee_id, task.created_by}
    if not may_see(role=who.role, is_own=is_own):
        log_refusal("refused", actor=who.employee_id, method=request.method, path=request.path)
        raise NotAllowedError("not-yours", "This task is held and was created by others.")
    return TaskWithHistory(task=task, history=history_of(connection, task_id))


def today(connection: Connection, who: Identity) -> Today:
    """What the running business day has charged and brought an employee."""
    return today_of(connection, who.employee_id, now=tracker().clock(), zone=tracker().zone)


def _page(connection: Connection, who: Identity, query: TaskListing) -> queries.TaskPage:
    cursor = None if query.cursor is UNSET else query.cursor
    if query.scope == "all":
        which = queries.Filter(
            status=query.status or None, assignee_id=query.assignee_id or None, words=query.words
        )
        return queries.page_of_all_tasks(connection, which, cursor=cursor, limit=query.limit)
    return queries.page_of_own_tasks(
        connection,
        who.employee_id,
        query.status or OPEN,
        words=query.words,
        cursor=cursor,
        limit=query.limit,
    )
