"""Says beside an event's amounts whose account they move, so that a day adds up per employee too.

Existing events are read once; a row of any other kind moves no account.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    "alter table outbox add column employee_id uuid",
    "alter table event_log add column employee_id uuid",
    *(
        f"""
        update {table} set employee_id = (
            body::jsonb -> 'data' ->> case type
                when 'task.assigned' then 'assignee_id' else 'employee_id'
            end
        )::uuid
        where type in ('task.assigned', 'task.completed')
        """  # noqa: S608 - our own table names
        for table in ("outbox", "event_log")
    ),
    """
    create index event_log_employee_id_idx on event_log (employee_id, business_date)
    include (fee_cents, reward_cents) where employee_id is not null
    """,
)


def upgrade() -> None:
    """Add the column and its index."""
    for statement in STATEMENTS:
        op.execute(statement)
