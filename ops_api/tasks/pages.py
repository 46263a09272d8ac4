"""One's own tasks in a browser: the list, a new one, marking done."""

import hashlib
from uuid import UUID

import msgspec
from flask import Blueprint, Response, request
from sqlalchemy import Connection

from contracts.upcasts import split_jira_id
from ops_api.auth.identity import Identity
from ops_api.errors import UnacceptableError
from ops_api.tasks import queries, routes
from ops_api.tasks.history import history_of
from ops_api.tasks.models import DONE, OPEN
from ops_api.tasks.rules import clean_title
from ops_api.web.forms import money
from ops_api.web.guard import employee
from ops_api.web.languages import language, translated
from ops_api.web.pages import (
    Refusal,
    address_with,
    attempt,
    came_from,
    see_other,
    show,
    today,
    words_of,
)
from ops_api.web.requests import checked_key
from ops_api.web.rights import allow
from ops_api.web.state import tracker

PAGE_TASKS = 50
HISTORY_SHOWN_MAX = 200
RENEWAL_SECONDS = 5

blueprint = Blueprint("task_pages", __name__)


class Preview(msgspec.Struct, frozen=True):
    """What a title would become."""

    jira_id: str | None
    title: str


@blueprint.get("/")
@allow("employee")
def get_my_tasks() -> Response:
    """One's own open or done tasks; asked again with the ETag it gave, it may answer 304."""
    return _my_tasks()


@blueprint.get("/tasks/new")
@allow("employee")
def get_new_task() -> Response:
    """The form of a new task; with a title in the query, what that title would become."""
    return _new_task(request.args.get("title", ""))


@blueprint.post("/tasks")
@allow("employee")
def post_task() -> Response:
    """Create a task from the form."""
    title = request.form.get("title", "")
    outcome = attempt(lambda key: routes.create(key, title))
    if isinstance(outcome, Refusal):
        return _new_task(title, refusal=outcome)
    return see_other("/tasks/new", created=outcome["task_id"])


@blueprint.get("/tasks/<uuid:task_id>")
@allow("manager", "admin", "owner")
def get_task(task_id: UUID) -> Response:
    """A task with its history."""
    return _task(task_id)


@blueprint.post("/tasks/<uuid:task_id>/complete")
@allow("owner")
def post_completion(task_id: UUID) -> Response:
    """Complete a task from its button, on the list or on the task's own page."""
    own_page = f"/tasks/{task_id}"
    page = came_from("/", own_page, otherwise="/")
    # The rows of a list share one form, and so its key.
    outcome = attempt(lambda key: routes.complete(checked_key(f"{key} {task_id}"), task_id))
    if not isinstance(outcome, Refusal):
        return see_other(page, done=task_id)
    return _my_tasks(refusal=outcome)


def _my_tasks(*, refusal: Refusal | None = None) -> Response:
    who = employee()
    status = DONE if request.args.get("status") == DONE else OPEN
    words = words_of("words")
    cursor = request.args.get("cursor") or None
    if refusal is not None:
        status, words, cursor = OPEN, "", None

    def read(connection: Connection) -> tuple[queries.Counts, queries.TaskPage]:
        return queries.count_own_tasks(connection, who.employee_id), queries.page_of_own_tasks(
            connection, who.employee_id, status, words=words, cursor=cursor, limit=PAGE_TASKS
        )

    counts, page = tracker().read(read)
    balance = today()
    etag = _etag(who, counts, page, balance)
    if refusal is None and request.if_none_match.contains_weak(etag):
        return Response(status=304)
    return show(
        "my_tasks.html",
        refusal=refusal,
        etag=etag,
        notice=tracker().read(lambda each: _done_notice(each, who)),
        renewal_seconds=RENEWAL_SECONDS,
        today=balance,
        counts=counts,
        page=page,
        status=status,
        words=words,
        is_first_page=cursor is None,
        next_address=page.next_cursor and address_with("/", cursor=page.next_cursor),
    )


def _etag(who: Identity, *shown: object) -> str:
    """What the list would look like; anything that moves money or tasks moves these."""
    seen = msgspec.json.encode([who, language(), *shown])
    return hashlib.sha256(seen).hexdigest()[:32]


def _new_task(title: str, *, refusal: Refusal | None = None) -> Response:
    who = employee()
    created = request.args.get("created", type=UUID)
    return show(
        "new_task.html",
        refusal=refusal,
        title=title,
        preview=_preview(title),
        notice=created and tracker().read(lambda each: _created_notice(each, who, created)),
    )


def _task(task_id: UUID) -> Response:
    who = employee()
    found = tracker().read(lambda each: routes.visible_task(each, who, task_id))
    holder = next(each for each in found.history if each.what == "assigned")
    return show(
        "task.html",
        task=found.task,
        assignee_name=holder.employee_name,
        is_own=found.task.assignee_id == who.employee_id,
        history=found.history[:HISTORY_SHOWN_MAX],
        count_history=len(found.history),
        notice=tracker().read(lambda each: _done_notice(each, who)),
    )


def _preview(title: str) -> Preview | None:
    try:
        jira_id, bare = split_jira_id(clean_title(title))
        return Preview(jira_id, clean_title(bare))
    except UnacceptableError:
        return None


def _created_notice(connection: Connection, who: Identity, task_id: UUID) -> str | None:
    """Who got the task that this employee has just created, as it was drawn then."""
    task = queries.find_task(connection, task_id)
    if task is None or task.created_by != who.employee_id:
        return None
    first = [each for each in history_of(connection, task_id) if each.what == "assigned"][-1:]
    return translated(
        "“%(title)s” went to %(name)s: a fee of %(fee)s, a reward of %(reward)s.",
        title=task.title,
        name=first[0].employee_name,
        fee=money(task.fee_cents),
        reward=money(task.reward_cents),
    )


def _done_notice(connection: Connection, who: Identity) -> str | None:
    """That one's own task is done, and what it has brought."""
    task_id = request.args.get("done", type=UUID)
    task = None if task_id is None else queries.find_task(connection, task_id)
    if task is None or task.assignee_id != who.employee_id or task.status != DONE:
        return None
    return translated(
        "“%(title)s” is done: +%(reward)s.", title=task.title, reward=money(task.reward_cents)
    )
