"""Tasks in a browser: mine, a new one, and reassigning all of them. Plain forms, no script.

After a change the browser is sent to an address it may load again; a refused form comes back with
the reason and what was typed.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec
from flask import Blueprint, Response, render_template, request
from sqlalchemy import Connection

from ops_api.auth.identity import Identity
from ops_api.employees.queries import find_employee
from ops_api.errors import RuleViolation
from ops_api.idempotency.commands import Answer
from ops_api.tasks import queries, routes
from ops_api.tasks.models import DONE, OPEN
from ops_api.web.forms import form_key
from ops_api.web.guard import employee
from ops_api.web.problems import Problem
from ops_api.web.rights import allow
from ops_api.web.state import tracker

OPEN_SHOWN_MAX = 100
DONE_SHOWN_MAX = 50

blueprint = Blueprint("task_pages", __name__)


@blueprint.get("/")
@allow("employee")
def get_home() -> Response:
    """My tasks; `created`, `done` and `reassigned` in the query tell of what has just happened."""
    return _home()


@blueprint.post("/tasks")
@allow("employee")
def post_task() -> Response:
    """Create a task from the form."""
    title = request.form.get("title", "")
    return _after(lambda key: routes.create(key, title), "created", "task_id", title=title)


@blueprint.post("/tasks/<uuid:task_id>/complete")
@allow("employee")
def post_completion(task_id: UUID) -> Response:
    """Complete a task from its button."""
    return _after(lambda key: routes.complete(key, task_id), "done", "task_id")


@blueprint.post("/tasks/reassign")
@allow(*routes.REASSIGNERS)
def post_reassignment() -> Response:
    """Reassign all open tasks from the button."""
    return _after(routes.reassign, "reassigned", "count_tasks")


def _after(act: Callable[[str], Answer], notice: str, field: str, *, title: str = "") -> Response:
    """Carry a form out and go back to the tasks, with the field of the answer worth telling."""
    try:
        answer = act(form_key())
    except RuleViolation as refusal:
        return _home(alert=refusal.detail, status=refusal.status, title=title)
    if answer.status >= 400:
        found = msgspec.json.decode(answer.body, type=Problem)
        return _home(alert=found.detail, status=found.status, title=title)
    value = msgspec.json.decode(answer.body)[field]
    return Response(status=303, headers={"Location": f"/?{notice}={value}"})


def _home(*, alert: str | None = None, status: int = 200, title: str = "") -> Response:
    who = employee()
    shown = tracker().read(lambda connection: _shown(connection, who))
    return Response(render_template("home.html", alert=alert, title=title, **shown), status)


def _shown(connection: Connection, who: Identity) -> dict[str, object]:
    """What the page of tasks shows, read at this moment."""
    is_reassigner = who.role in routes.REASSIGNERS
    return {
        "notice": _notice(connection, who),
        "counts": queries.count_own_tasks(connection, who.employee_id),
        "open_tasks": _own(connection, who, OPEN, OPEN_SHOWN_MAX),
        "done_tasks": _own(connection, who, DONE, DONE_SHOWN_MAX),
        "count_reassignable": queries.count_open_tasks(connection) if is_reassigner else None,
    }


def _own(
    connection: Connection, who: Identity, status: str, limit: int
) -> list[queries.ListedTask]:
    return queries.page_of_own_tasks(connection, who.employee_id, status, limit=limit).tasks


def _notice(connection: Connection, who: Identity) -> str | None:
    """What has just happened, in words; only of tasks that concern the one who looks."""
    if (count := request.args.get("reassigned", type=int)) is not None:
        return f"{count:,} open task{'' if count == 1 else 's'} reassigned."
    if (task_id := request.args.get("created", type=UUID)) is not None:
        task = queries.find_task(connection, task_id)
        if task is not None and task.created_by == who.employee_id:
            assignee = find_employee(connection, task.assignee_id)
            assert assignee is not None, "every task has an assignee"
            return f"“{task.title}” went to {assignee.name}."
    if (task_id := request.args.get("done", type=UUID)) is not None:
        task = queries.find_task(connection, task_id)
        if task is not None and task.assignee_id == who.employee_id:
            return f"“{task.title}” is done."
    return None
