"""Tasks over HTTP, as JSON; the same handlers serve the page's forms."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta
from sqlalchemy import Connection

from ops_api.auth.identity import Identity
from ops_api.errors import NotAllowedError
from ops_api.idempotency.commands import Answer
from ops_api.security_log import log_security
from ops_api.tasks import commands, queries
from ops_api.tasks.models import OPEN
from ops_api.tasks.reassign import reassign_open_tasks
from ops_api.web.answers import answer_response, carry_out, json_response
from ops_api.web.guard import employee
from ops_api.web.requests import NoBody, idempotency_key, read_json, read_query
from ops_api.web.rights import Right, allow
from ops_api.web.state import tracker

REASSIGNERS: tuple[Right, ...] = ("manager", "admin")

blueprint = Blueprint("tasks", __name__, url_prefix="/api/v1/tasks")


class NewTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that anybody may say about a new task."""

    title: str


class Listing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tasks to list; `all` is for managers and admins."""

    scope: Literal["mine", "all"] = "mine"
    status: Literal["open", "done"] | None = None
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_TASKS_MAX)] = 50


@blueprint.get("")
@allow("employee")
def list_tasks() -> Response:
    """One's own open (or done) tasks, or everybody's, a page at a time."""
    listing = read_query(Listing)
    who = employee()
    if listing.scope == "all" and who.role not in REASSIGNERS:
        raise NotAllowedError("not-allowed", "Only managers and admins see everybody's tasks.")
    return json_response(tracker().read(lambda each: _page(each, who, listing)))


@blueprint.post("")
@allow("employee")
def post_task() -> Response:
    """Create a task; who gets it and what it costs is drawn."""
    key = idempotency_key()
    return answer_response(create(key, read_json(NewTask).title))


@blueprint.post("/<uuid:task_id>/complete")
@allow("employee")
def post_completion(task_id: UUID) -> Response:
    """Complete one's own open task."""
    key = idempotency_key()
    read_json(NoBody)
    return answer_response(complete(key, task_id))


@blueprint.post("/reassign")
@allow(*REASSIGNERS)
def post_reassignment() -> Response:
    """Draw every open task anew."""
    key = idempotency_key()
    read_json(NoBody)
    return answer_response(reassign(key))


def create(key: str, title: str) -> Answer:
    """Create a task for the caller, once per key."""
    return carry_out(
        key,
        lambda connection, context: commands.create_task(connection, context, title=title),
        status=201,
        is_cheap=True,
    )


def complete(key: str, task_id: UUID) -> Answer:
    """Complete the caller's task, once per key."""
    return carry_out(
        key,
        lambda connection, context: commands.complete_task(connection, context, task_id=task_id),
        is_cheap=True,
    )


def reassign(key: str) -> Answer:
    """Reassign all open tasks for the caller, once per key."""
    answer = carry_out(key, reassign_open_tasks)
    log_security(
        "reassigned", actor=employee().employee_id, status=answer.status, path=request.path
    )
    return answer


def _page(connection: Connection, who: Identity, listing: Listing) -> queries.Page:
    if listing.scope == "all":
        return queries.page_of_all_tasks(
            connection, status=listing.status, cursor=listing.cursor, limit=listing.limit
        )
    return queries.page_of_own_tasks(
        connection,
        who.employee_id,
        listing.status or OPEN,
        cursor=listing.cursor,
        limit=listing.limit,
    )
