"""Everybody's tasks, for managers and admins: filters in the address, CSV, reassigning."""

from collections.abc import Iterator
from uuid import UUID

import msgspec
from flask import Blueprint, Response, request, stream_with_context
from flask_babel import ngettext
from sqlalchemy import Connection

from ops_api.employees.models import Employee
from ops_api.employees.queries import find_employees
from ops_api.errors import UnacceptableError
from ops_api.tasks import queries, routes
from ops_api.tasks.models import DONE, OPEN
from ops_api.web.csv_rows import csv_row
from ops_api.web.forms import count
from ops_api.web.pages import (
    Refusal,
    address_with,
    attempt,
    came_from,
    see_other,
    show,
    words_of,
)
from ops_api.web.rights import allow
from ops_api.web.state import tracker

PAGE_TASKS = 50
EXPORT_PAGE_TASKS = 2000
EXPORT_TASKS_MAX = 1_000_000
CANDIDATES_MAX = 10
NOBODY = "Nobody has such a name or e-mail."
SEVERAL = "Several people have such a name. Whom do you mean?"
EXPORT_COLUMNS = (
    "task_id", "jira_id", "title", "status", "assignee", "fee_cents", "reward_cents",
    "assignment_number", "created_at", "completed_at",
)  # fmt: skip

blueprint = Blueprint("all_task_pages", __name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The filters of the address; `candidates` are all whom the assignee's name may mean.

    Without a `which`, no task can be meant.
    """

    status: str
    words: str
    assignee: str
    candidates: list[Employee]
    which: queries.Filter | None


@blueprint.get("/tasks")
@allow(*routes.REASSIGNERS)
def get_all_tasks() -> Response:
    """A page of everybody's tasks."""
    return _all_tasks()


@blueprint.get("/tasks.csv")
@allow(*routes.REASSIGNERS)
def get_csv() -> Response:
    """All tasks that the filters let through, as they come out of the database.

    Raises UnacceptableError when the assignee's name means nobody or several people.
    """
    asked = tracker().read(_asked)
    if asked.which is None:
        raise UnacceptableError("unclear-assignee", SEVERAL if asked.candidates else NOBODY)
    rows = stream_with_context(_csv_lines(asked.which))
    headers = {"Content-Disposition": 'attachment; filename="tasks.csv"'}
    return Response(rows, mimetype="text/csv", headers=headers)


@blueprint.post("/tasks/reassign")
@allow(*routes.REASSIGNERS)
def post_reassignment() -> Response:
    """Reassign all open tasks from the button."""
    outcome = attempt(routes.reassign)
    if isinstance(outcome, Refusal):
        return _all_tasks(refusal=outcome)
    return see_other(came_from("/tasks", otherwise="/tasks"), reassigned=outcome["count_tasks"])


def _all_tasks(*, refusal: Refusal | None = None) -> Response:
    cursor = None if refusal else request.args.get("cursor") or None

    def read(connection: Connection) -> tuple[Asked, queries.TaskPage, int, int]:
        asked = _asked(connection)
        count_open = queries.count_open_tasks(connection)
        if asked.which is None:
            return asked, queries.TaskPage(tasks=[]), 0, count_open
        page = queries.page_of_all_tasks(connection, asked.which, cursor=cursor, limit=PAGE_TASKS)
        is_whole = cursor is None and page.next_cursor is None
        count_found = (
            len(page.tasks) if is_whole else queries.count_all_tasks(connection, asked.which)
        )
        return asked, page, count_found, count_open

    asked, page, count_found, count_open = tracker().read(read)
    next_address = page.next_cursor and address_with("/tasks", cursor=page.next_cursor)
    return show(
        "all_tasks.html",
        refusal=refusal,
        notice=_notice(),
        asked=asked,
        unclear=None if asked.which else SEVERAL if asked.candidates else NOBODY,
        tasks=page.tasks,
        count_found=count_found,
        count_open=count_open,
        is_first_page=cursor is None,
        next_address=next_address,
    )


def _asked(connection: Connection) -> Asked:
    given = request.args.get("status", "")
    status = given if given in {OPEN, DONE} else ""
    words, assignee = words_of("words"), words_of("assignee")
    found = find_employees(connection, assignee, limit=CANDIDATES_MAX) if assignee else []
    exact = [each for each in found if assignee.lower() in {each.name.lower(), each.email.lower()}]
    chosen = exact if len(exact) == 1 else found
    assignee_id: UUID | None = chosen[0].employee_id if len(chosen) == 1 else None
    is_clear = not assignee or assignee_id is not None
    which = queries.Filter(status=status or None, assignee_id=assignee_id, words=words)
    return Asked(
        status=status,
        words=words,
        assignee=assignee,
        candidates=[] if is_clear else found,
        which=which if is_clear else None,
    )


def _csv_lines(which: queries.Filter) -> Iterator[str]:
    """The header and a text of many rows at a time; each page is read by itself."""
    yield csv_row(EXPORT_COLUMNS)
    cursor: str | None = None
    for _ in range(EXPORT_TASKS_MAX // EXPORT_PAGE_TASKS):
        page = _export_page(which, cursor)
        yield "".join(csv_row(_values(task)) for task in page.tasks)
        cursor = page.next_cursor
        if cursor is None:
            return


def _export_page(which: queries.Filter, cursor: str | None) -> queries.TaskPage:
    return tracker().read(
        lambda each: queries.page_of_all_tasks(each, which, cursor=cursor, limit=EXPORT_PAGE_TASKS)
    )


def _values(task: queries.ListedTask) -> tuple[object, ...]:
    completed_at = "" if task.completed_at is None else task.completed_at.isoformat()
    return (
        task.task_id, task.jira_id or "", task.title, task.status, task.assignee_name,
        task.fee_cents, task.reward_cents, task.assignment_number,
        task.created_at.isoformat(), completed_at,
    )  # fmt: skip


def _notice() -> str | None:
    number = request.args.get("reassigned", type=int)
    if number is None:
        return None
    return str(
        ngettext(
            "%(shown)s open task was reassigned.",
            "%(shown)s open tasks were reassigned.",
            number,
            shown=count(number),
        )
    )
