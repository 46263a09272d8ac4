"""Employees over HTTP, as JSON; for managers to see and admins to change."""

from typing import Annotated
from uuid import UUID

import msgspec
from flask import Blueprint
from msgspec import Meta
from sqlalchemy import Connection

from ops_api.auth.commands import end_sessions_of
from ops_api.auth.letters import write_letter
from ops_api.auth.link_commands import SentLink, send_link
from ops_api.auth.models import Ended, Session
from ops_api.auth.queries import sessions_of
from ops_api.context import CommandContext
from ops_api.employees import commands, queries
from ops_api.employees.models import Employee
from ops_api.employees.rules import EMAIL_LENGTH_MAX, NAME_LENGTH_MAX, ROLES
from ops_api.errors import NotFoundError
from ops_api.idempotency.commands import Answer
from ops_api.security_log import log_security
from ops_api.web.answers import carry_out
from ops_api.web.guard import employee
from ops_api.web.operations import operation
from ops_api.web.state import tracker
from ops_api.web.texts import line

blueprint = Blueprint("employees", __name__, url_prefix="/api/v1/employees")


class EmployeePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some employees, and the cursor with which to ask for the next ones."""

    employees: list[Employee]
    next_cursor: UUID | None = None


class NewEmployee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who joins."""

    name: Annotated[str, line(NAME_LENGTH_MAX)]
    email: Annotated[str, line(EMAIL_LENGTH_MAX, format="email")]
    role: Annotated[str, Meta(extra_json_schema={"enum": ROLES})]


class _Made(msgspec.Struct, frozen=True):
    """Of an answer, whom it is about; nobody, if it is a refusal."""

    employee_id: UUID | None = None


class EmployeeChanges(commands.Changes, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become different; what is left out, or null, stays as it is."""

    name: Annotated[str, line(NAME_LENGTH_MAX)] | None = None
    email: Annotated[str, line(EMAIL_LENGTH_MAX, format="email")] | None = None
    role: Annotated[str, Meta(extra_json_schema={"enum": ROLES})] | None = None


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's living sessions, the one last used first."""

    sessions: list[Session]


class EmployeeListing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of employees: those after a cursor."""

    cursor: UUID = queries.FIRST
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_EMPLOYEES_MAX)] = 100


@blueprint.get("")
@operation("manager", "admin", scope="employees:read", answer=EmployeePage)
def list_employees(query: EmployeeListing) -> EmployeePage:
    """Employees in the order of their registration, a page at a time."""
    found = tracker().read(
        lambda each: queries.page_of_employees(each, after=query.cursor, limit=query.limit)
    )
    is_full = len(found) == query.limit
    return EmployeePage(employees=found, next_cursor=found[-1].employee_id if is_full else None)


@blueprint.get("/<uuid:employee_id>")
@operation("manager", "admin", scope="employees:read", answer=Employee)
def get_employee(employee_id: UUID) -> Employee:
    """One employee."""
    return tracker().read(lambda each: _require_employee(each, employee_id))


@blueprint.post("")
@operation(
    "admin", scope="employees:write", answer=Employee, status=201, conflicts=("email-taken",)
)
def post_employee(key: str, body: NewEmployee) -> Answer:
    """Register somebody, who gets a mail with a link to choose a password by."""
    return register(key, body)


@blueprint.patch("/<uuid:employee_id>")
@operation(
    "admin",
    scope="employees:write",
    answer=Employee,
    conflicts=("email-taken", "last-admin", "no-assignable-employee"),
)
def patch_employee(key: str, employee_id: UUID, body: EmployeeChanges) -> Answer:
    """Change name, address, role or activity; a leaver's open tasks are reassigned at once."""
    return change(key, employee_id, body)


@blueprint.post("/<uuid:employee_id>/sign-in-link")
@operation(
    "admin",
    scope="employees:write",
    answer=SentLink,
    status=201,
    conflicts=("employee-left",),
)
def post_sign_in_link(key: str, employee_id: UUID) -> Answer:
    """Send somebody a link to choose a password by; it ends the one sent before."""
    return send_sign_in_link(key, employee_id)


@blueprint.get("/<uuid:employee_id>/sessions")
@operation("admin", scope="employees:read", answer=Sessions)
def list_sessions(employee_id: UUID) -> Sessions:
    """Where somebody is signed in."""
    now = tracker().clock()

    def read(connection: Connection) -> list[Session]:
        _require_employee(connection, employee_id)
        return sessions_of(connection, employee_id, now=now)

    return Sessions(sessions=tracker().read(read))


@blueprint.delete("/<uuid:employee_id>/sessions")
@operation("admin", scope="employees:write", answer=Ended)
def delete_sessions(key: str, employee_id: UUID) -> Answer:
    """Sign somebody out everywhere."""
    return end_sessions(key, employee_id)


def register(key: str, new: NewEmployee) -> Answer:
    """Register somebody for the caller, once per key, and send a link."""

    def work(connection: Connection, context: CommandContext) -> Employee:
        made = commands.register_employee(
            connection, context, name=new.name, email=new.email, role=new.role
        )
        _send_link(connection, made.employee_id)
        return made

    answer = carry_out(key, work, status=201)
    made = msgspec.json.decode(answer.body, type=_Made)
    log_security("registered", employee_id=made.employee_id, role=new.role, status=answer.status)
    return answer


def send_sign_in_link(key: str, employee_id: UUID) -> Answer:
    """Send somebody a link for the caller, once per key."""

    def work(connection: Connection, _: CommandContext) -> SentLink:
        _require_employee(connection, employee_id)
        return _send_link(connection, employee_id)

    answer = carry_out(key, work, status=201)
    log_security("link_sent", employee_id=employee_id, status=answer.status)
    return answer


def end_sessions(key: str, employee_id: UUID) -> Answer:
    """Sign somebody out everywhere for the caller, once per key."""

    def work(connection: Connection, _: CommandContext) -> Ended:
        _require_employee(connection, employee_id)
        return Ended(count_sessions=end_sessions_of(connection, employee_id=employee_id))

    answer = carry_out(key, work)
    log_security("sessions_ended", employee_id=employee_id, status=answer.status)
    return answer


def _require_employee(connection: Connection, employee_id: UUID) -> Employee:
    found = queries.find_employee(connection, employee_id)
    if found is None:
        raise NotFoundError("no-such-employee", "There is no such employee.")
    return found


def _send_link(connection: Connection, employee_id: UUID) -> SentLink:
    return send_link(
        connection,
        employee_id=employee_id,
        now=tracker().clock(),
        lifetimes=tracker().settings.link_lifetimes,
        write=write_letter,
    )


def change(key: str, employee_id: UUID, changes: EmployeeChanges) -> Answer:
    """Change somebody for the caller, once per key."""
    answer = carry_out(
        key,
        lambda connection, context: commands.change_employee(
            connection, context, employee_id=employee_id, changes=changes
        ),
    )
    log_security(
        "employee_changed",
        actor=employee().employee_id,
        employee_id=employee_id,
        role=changes.role,
        is_active=changes.is_active,
        status=answer.status,
    )
    return answer
