"""What can be done with employees: register, change, set a password.

Somebody who can no longer be drawn (a leaver, a new manager or admin) hands over all open tasks in
the same transaction.
"""

from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection, text

from contracts.events import EmployeeChangedV1, EmployeeRegisteredV1, EventData
from ops_api import locks
from ops_api.context import CommandContext
from ops_api.days.queries import last_closed_date
from ops_api.days.rules import business_date_at
from ops_api.employees import rules
from ops_api.employees.models import EMPLOYEE_COLUMNS, Employee, employees
from ops_api.errors import ConflictError, NotFoundError
from ops_api.outbox.commands import append, event
from ops_api.tasks.reassign import reassign_open_tasks

_LOCK = text(
    f"select {', '.join(EMPLOYEE_COLUMNS)} from employees "  # noqa: S608 - our own constants
    "where employee_id = :employee_id for no key update"
)
_END_SESSIONS = text("delete from sessions where employee_id = :employee_id")
_END_LINK = text("delete from sign_in_links where employee_id = :employee_id")
_SET_PASSWORD = text(
    "update employees set password_hash = :password_hash where employee_id = :employee_id"
)
_OTHER_ADMINS = text("""
select count(*) from employees where role = 'admin' and is_active and employee_id <> :employee_id
""")


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become different; a field left out stays as it is."""

    name: str | None = None
    email: str | None = None
    role: str | None = None
    is_active: bool | None = None


def register_employee(
    connection: Connection,
    context: CommandContext,
    *,
    name: str,
    email: str,
    role: str,
    password_hash: str | None = None,
    external_id: str | None = None,
) -> Employee:
    """Register somebody who is active at once; without a password nobody can sign in as them.

    Raises UnacceptableError for a bad value, ConflictError when the address is taken.
    """
    locks.share_business_day(connection)
    now = context.clock()
    employee = Employee(
        employee_id=context.new_id(now),
        external_id=external_id,
        name=rules.clean_name(name),
        email=rules.clean_email(email),
        role=rules.clean_role(role),
        is_active=True,
        version=1,
        registered_at=now,
    )
    values = msgspec.structs.asdict(employee) | {"password_hash": password_hash}
    _write(connection, sa.insert(employees).values(values))
    _append(connection, context, EmployeeRegisteredV1, employee)
    return employee


def change_employee(
    connection: Connection, context: CommandContext, *, employee_id: UUID, changes: Changes
) -> Employee:
    """Change name, address, role or activity; what stays the same makes no event.

    A change of role or activity ends the employee's sessions, one of address or activity a link
    that is under way. Raises NotFoundError,
    UnacceptableError for a bad value, ConflictError when the address is taken, when the last
    active admin would go, or when open tasks would have nobody to go to.
    """
    locks.share_business_day(connection)
    if changes.role is not None or changes.is_active is not None:
        locks.take_alone(connection, locks.STAFF)
    before = _lock(connection, employee_id)
    after = _changed(before, changes)
    if after == before:
        return before
    after = msgspec.structs.replace(after, version=before.version + 1)
    values = msgspec.structs.asdict(after)
    _write(
        connection,
        sa.update(employees).where(employees.c.employee_id == employee_id).values(values),
    )
    _append(connection, context, EmployeeChangedV1, after)
    if (after.email, after.is_active) != (before.email, before.is_active):
        connection.execute(_END_LINK, {"employee_id": employee_id})
    if (after.role, after.is_active) != (before.role, before.is_active):
        _settle_new_standing(connection, context, before, after)
    return after


def set_password(connection: Connection, *, employee_id: UUID, password_hash: str) -> None:
    """Replace the password; all sessions end, and a link by which it could be replaced, too."""
    values = {"employee_id": employee_id, "password_hash": password_hash}
    changed = connection.execute(_SET_PASSWORD, values).rowcount
    assert changed == 1, "the caller knows the employee"
    connection.execute(_END_SESSIONS, {"employee_id": employee_id})
    connection.execute(_END_LINK, {"employee_id": employee_id})


def _lock(connection: Connection, employee_id: UUID) -> Employee:
    row = connection.execute(_LOCK, {"employee_id": employee_id}).one_or_none()
    if row is None:
        raise NotFoundError("no-such-employee", "There is no such employee.")
    return Employee(**row._mapping)


def _changed(employee: Employee, changes: Changes) -> Employee:
    return msgspec.structs.replace(
        employee,
        name=employee.name if changes.name is None else rules.clean_name(changes.name),
        email=employee.email if changes.email is None else rules.clean_email(changes.email),
        role=employee.role if changes.role is None else rules.clean_role(changes.role),
        is_active=employee.is_active if changes.is_active is None else changes.is_active,
    )


def _write(connection: Connection, statement: sa.Insert | sa.Update) -> None:
    try:
        connection.execute(statement)
    except sa.exc.IntegrityError as error:
        if "employees_lower_email_key" in str(error.orig):
            raise ConflictError("email-taken", "Somebody has this address already.") from error
        raise


def _settle_new_standing(
    connection: Connection, context: CommandContext, before: Employee, after: Employee
) -> None:
    was_admin = before.role == "admin" and before.is_active
    is_admin = after.role == "admin" and after.is_active
    employee_id = after.employee_id
    if was_admin and not is_admin:
        others = connection.execute(_OTHER_ADMINS, {"employee_id": employee_id}).scalar_one()
        if not others:
            raise ConflictError("last-admin", "The last active admin cannot be taken away.")
    connection.execute(_END_SESSIONS, {"employee_id": employee_id})
    if not rules.is_assignable(role=after.role, is_active=after.is_active):
        reassign_open_tasks(connection, context, leaver_id=employee_id)


def _append(
    connection: Connection, context: CommandContext, kind: type[EventData], employee: Employee
) -> None:
    now = context.clock()
    day = business_date_at(now, context.business_timezone, last_closed_date(connection))
    data = kind(
        employee_id=employee.employee_id,
        name=employee.name,
        email=employee.email,
        role=employee.role,
        is_active=employee.is_active,
        external_id=employee.external_id,
    )
    row = event(context, data, sequence=employee.version, occurred_at=now, business_date=day)
    append(connection, [row])
