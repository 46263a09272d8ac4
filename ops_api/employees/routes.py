"""Employees over HTTP, as JSON; for managers to see and admins to change."""

from typing import Annotated
from uuid import UUID

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from ops_api.employees import commands, queries
from ops_api.errors import NotFoundError
from ops_api.security_log import log_security
from ops_api.web.answers import answer_response, carry_out, json_response
from ops_api.web.guard import employee
from ops_api.web.requests import idempotency_key, read_json, read_query
from ops_api.web.rights import allow
from ops_api.web.state import tracker

blueprint = Blueprint("employees", __name__, url_prefix="/api/v1/employees")


class NewEmployee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who joins."""

    name: str
    email: str
    role: str


class Listing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of employees: those after an id."""

    after: UUID = queries.FIRST
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_EMPLOYEES_MAX)] = 100


@blueprint.get("")
@allow("manager", "admin")
def list_employees() -> Response:
    """Employees in the order of their registration."""
    listing = read_query(Listing)
    found = tracker().read(
        lambda each: queries.page_of_employees(each, after=listing.after, limit=listing.limit)
    )
    return json_response({"employees": found})


@blueprint.get("/<uuid:employee_id>")
@allow("manager", "admin")
def get_employee(employee_id: UUID) -> Response:
    """One employee."""
    found = tracker().read(lambda each: queries.find_employee(each, employee_id))
    if found is None:
        raise NotFoundError("no-such-employee", "There is no such employee.")
    return json_response(found)


@blueprint.post("")
@allow("admin")
def post_employee() -> Response:
    """Register somebody; a password is set apart from this."""
    key = idempotency_key()
    new = read_json(NewEmployee)
    answer = carry_out(
        key,
        lambda connection, context: commands.register_employee(
            connection, context, name=new.name, email=new.email, role=new.role
        ),
        status=201,
    )
    log_security("registered", actor=employee().employee_id, role=new.role, status=answer.status)
    return answer_response(answer)


@blueprint.patch("/<uuid:employee_id>")
@allow("admin")
def patch_employee(employee_id: UUID) -> Response:
    """Change name, address, role or activity."""
    key = idempotency_key()
    changes = read_json(commands.Changes)
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
    return answer_response(answer)
