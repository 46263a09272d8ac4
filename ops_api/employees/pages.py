"""The people in a browser, for admins: add, change, let go, end sessions; what was recorded."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy import Connection

from ops_api.auth import links
from ops_api.auth import queries as auth_queries
from ops_api.auth.agents import device_of
from ops_api.auth.pages_account import ended
from ops_api.employees import queries, routes
from ops_api.employees.rules import ROLES
from ops_api.errors import NotFoundError
from ops_api.tasks.queries import count_own_tasks
from ops_api.web.languages import translated
from ops_api.web.pages import Refusal, address_with, attempt, see_other, show, words_of
from ops_api.web.rights import allow
from ops_api.web.state import tracker

PAGE_EMPLOYEES = 50
FOUND_MAX = 200
EVENTS_SHOWN = 20
PAGE_EVENTS = 100

blueprint = Blueprint("employee_pages", __name__)


@blueprint.get("/employees")
@allow("admin")
def get_employees() -> Response:
    """Everybody, in the order of registration; or those whom the search finds, by name."""
    words = words_of("words")
    after = request.args.get("cursor", queries.FIRST, type=UUID)

    def read(connection: Connection) -> list[queries.ListedEmployee]:
        if words:
            return queries.list_found(connection, words, limit=FOUND_MAX)
        return queries.list_after(connection, after=after, limit=PAGE_EMPLOYEES)

    found = tracker().read(read)
    is_full = not words and len(found) == PAGE_EMPLOYEES
    return show(
        "employees.html",
        words=words,
        employees=found,
        is_cut=bool(words) and len(found) == FOUND_MAX,
        next_address=is_full and address_with("/employees", cursor=found[-1].employee_id),
    )


@blueprint.get("/employees/new")
@allow("admin")
def get_new_employee() -> Response:
    """The form of somebody who joins."""
    return show("new_employee.html", roles=ROLES, given={})


@blueprint.post("/employees")
@allow("admin")
def post_employee() -> Response:
    """Register somebody from the form."""
    given = _given()
    body = routes.NewEmployee(name=given["name"], email=given["email"], role=given["role"])
    outcome = attempt(lambda key: routes.register(key, body))
    if isinstance(outcome, Refusal):
        return show("new_employee.html", refusal=outcome, roles=ROLES, given=given)
    return see_other(f"/employees/{outcome['employee_id']}", created=outcome["employee_id"])


@blueprint.get("/employees/<uuid:employee_id>")
@allow("admin")
def get_employee(employee_id: UUID) -> Response:
    """One employee: what can be changed, where they are signed in, what was recorded."""
    return _employee(employee_id)


@blueprint.post("/employees/<uuid:employee_id>")
@allow("admin")
def post_changes(employee_id: UUID) -> Response:
    """Change name, address and role from the form, or, from its own button, activity."""
    if (activity := request.form.get("is_active")) is not None:
        changes = routes.EmployeeChanges(is_active=activity == "yes")
    else:
        given = _given()
        changes = routes.EmployeeChanges(
            name=given["name"], email=given["email"], role=given["role"]
        )
    outcome = attempt(lambda key: routes.change(key, employee_id, changes))
    if isinstance(outcome, Refusal):
        return _employee(employee_id, refusal=outcome)
    return see_other(f"/employees/{employee_id}", saved="yes")


@blueprint.post("/employees/<uuid:employee_id>/end-sessions")
@allow("admin")
def post_end_sessions(employee_id: UUID) -> Response:
    """Sign somebody out everywhere."""
    outcome = attempt(lambda key: routes.end_sessions(key, employee_id))
    if isinstance(outcome, Refusal):
        return _employee(employee_id, refusal=outcome)
    return see_other(f"/employees/{employee_id}", ended=outcome["count_sessions"])


@blueprint.post("/employees/<uuid:employee_id>/sign-in-link")
@allow("admin")
def post_sign_in_link(employee_id: UUID) -> Response:
    """Send somebody a link to choose a password by."""
    outcome = attempt(lambda key: routes.send_sign_in_link(key, employee_id))
    if isinstance(outcome, Refusal):
        return _employee(employee_id, refusal=outcome)
    return see_other(f"/employees/{employee_id}", sent="yes")


@blueprint.get("/security")
@allow("admin")
def get_security_events() -> Response:
    """What matters for security, newest first."""
    before = request.args.get("cursor", auth_queries.NEWEST, type=int)
    event = words_of("event")

    def read(connection: Connection) -> list[Any]:
        return list(
            auth_queries.page_of_security_events(
                connection, before=before, limit=PAGE_EVENTS, event=event or None
            )
        )

    events = tracker().read(read)
    is_full = len(events) == PAGE_EVENTS
    return show(
        "security.html",
        events=events,
        event=event,
        next_address=is_full and address_with("/security", cursor=events[-1].event_id),
    )


def _given() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in ("name", "email", "role")}


def _employee(employee_id: UUID, *, refusal: Refusal | None = None) -> Response:
    def read(connection: Connection) -> dict[str, Any]:
        found = queries.find_employee(connection, employee_id)
        if found is None:
            raise NotFoundError("no-such-employee", "There is no such employee.")
        now = tracker().clock()
        return {
            "employee": found,
            "counts": count_own_tasks(connection, employee_id),
            "last_sign_in_at": auth_queries.last_sign_in_at(connection, employee_id),
            "link": links.find_state(connection, employee_id, now),
            "sessions": auth_queries.sessions_of(connection, employee_id, now=now),
            "events": auth_queries.page_of_security_events(
                connection, limit=EVENTS_SHOWN, employee_id=employee_id
            ),
        }

    return show(
        "employee.html",
        refusal=refusal,
        roles=ROLES,
        notice=_notice(),
        device_of=device_of,
        **tracker().read(read),
    )


def _notice() -> str | None:
    if "created" in request.args:
        return translated("Registered. A mail with a link to choose a password is on its way.")
    if "saved" in request.args:
        return translated("Saved.")
    if "sent" in request.args:
        return translated("A mail with a link to choose a password is on its way.")
    number = request.args.get("ended", type=int)
    if number is None:
        return None
    return ended(number)
