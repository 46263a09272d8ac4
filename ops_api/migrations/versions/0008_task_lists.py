"""Gives each list of tasks an index in the very order in which it is shown, page by page.

Ids begin with the moment of creation, so open tasks are listed by id alone.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    "drop index tasks_open_idx",
    "drop index tasks_done_idx",
    "create index tasks_open_idx on tasks (assignee_id, task_id) where status = 'open'",
    """
    create index tasks_done_idx on tasks (assignee_id, completed_at, task_id)
    where status = 'done'
    """,
)


def upgrade() -> None:
    """Build both indexes anew."""
    for statement in STATEMENTS:
        op.execute(statement)
