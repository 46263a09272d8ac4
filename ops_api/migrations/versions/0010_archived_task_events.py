"""Keeps what a task's history shows of events that left the log for the archive."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS = (
    """
    create table archived_task_events (
        task_id uuid not null references tasks,
        sequence integer not null,
        type text not null,
        occurred_at timestamptz not null,
        employee_id uuid,
        fee_cents bigint not null,
        reward_cents bigint not null,
        primary key (task_id, sequence)
    )
    """,
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
