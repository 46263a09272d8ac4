"""The table of employees; grain: one row per person who works or worked here."""

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
    Column("version", Integer, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("length(name) between 1 and 200", "name"),
    CheckConstraint("length(email) between 3 and 254", "email"),
    CheckConstraint("role in ('worker', 'manager', 'accountant', 'admin')", "role"),
    CheckConstraint("version >= 1", "version"),
)
Index("employees_lower_email_key", func.lower(employees.c.email), unique=True)
Index("employees_assignable_idx", employees.c.employee_id, postgresql_where=text(ASSIGNABLE))
