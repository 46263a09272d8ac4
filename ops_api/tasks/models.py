"""The table of tasks; grain: one row per task, with its present assignee.

`version` counts the task's events; `assignment_number` counts how often it was assigned.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from ops_api.clock import Moment
from ops_api.employees.models import employees
from ops_api.metadata import metadata

OPEN, DONE = "open", "done"

tasks = Table(
    "tasks",
    metadata,
    Column("task_id", Uuid, primary_key=True),
    Column("external_id", Text, unique=True),
    Column("title", Text, nullable=False),
    Column("jira_id", Text),
    Column("status", Text, nullable=False),
    Column("assignee_id", Uuid, ForeignKey(employees.c.employee_id), nullable=False),
    Column("fee_cents", BigInteger, nullable=False),
    Column("reward_cents", BigInteger, nullable=False),
    Column("assignment_number", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("completed_at", DateTime(timezone=True)),
    CheckConstraint("length(title) between 1 and 500", "title"),
    CheckConstraint("status in ('open', 'done')", "status"),
    CheckConstraint("(status = 'done') = (completed_at is not null)", "completed_at"),
    CheckConstraint("fee_cents between 1000 and 2000 and fee_cents % 100 = 0", "fee_cents"),
    CheckConstraint(
        "reward_cents between 2000 and 4000 and reward_cents % 100 = 0", "reward_cents"
    ),
    CheckConstraint("assignment_number >= 1", "assignment_number"),
    CheckConstraint("version > assignment_number", "version"),
)
# Each in the order in which a page of one's tasks is read; ids begin with the moment of creation.
Index(
    "tasks_open_idx",
    tasks.c.assignee_id,
    tasks.c.task_id,
    postgresql_where=text("status = 'open'"),
)
Index(
    "tasks_done_idx",
    tasks.c.assignee_id,
    tasks.c.completed_at,
    tasks.c.task_id,
    postgresql_where=text("status = 'done'"),
)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as commands and queries return it; times are UTC."""

    task_id: UUID
    external_id: str | None = None
    title: str
    jira_id: str | None
    status: Annotated[str, Meta(extra_json_schema={"enum": [OPEN, DONE]})]
    assignee_id: UUID
    fee_cents: int
    reward_cents: int
    assignment_number: int
    version: int
    created_by: UUID
    created_at: Moment
    completed_at: Moment | None = None


TASK_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Task))
