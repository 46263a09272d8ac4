"""The table of employees; grain: one row per person who works or worked here."""

from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from ops_api.clock import Moment
from ops_api.employees.rules import Role
from ops_api.metadata import metadata

# Who can be drawn for a task: active, and neither manager nor admin.
ASSIGNABLE = "is_active and role in ('worker', 'accountant')"

employees = Table(
    "employees",
    metadata,
    Column("employee_id", Uuid, primary_key=True),
    Column("external_id", Text, unique=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("password_hash", Text),
    Column("last_sign_in_at", DateTime(timezone=True)),
    Column("language", Text),  # the one they read at that sign-in
    Column("version", Integer, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("length(name) between 1 and 200", "name"),
    CheckConstraint("length(email) between 3 and 254", "email"),
    CheckConstraint("role in ('worker', 'manager', 'accountant', 'admin')", "role"),
    CheckConstraint("version >= 1", "version"),
)
Index("employees_lower_email_key", func.lower(employees.c.email), unique=True)
Index("employees_assignable_idx", employees.c.employee_id, postgresql_where=text(ASSIGNABLE))


class Employee(msgspec.Struct, frozen=True, kw_only=True):
    """An employee as commands and queries return it; the password's hash stays in the table."""

    employee_id: UUID
    external_id: str | None = None
    name: str
    email: str
    role: Role
    is_active: bool
    version: int
    registered_at: Moment


EMPLOYEE_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Employee))
