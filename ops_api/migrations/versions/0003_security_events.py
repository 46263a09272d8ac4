"""Keeps security events for admins to read, and tells sessions apart for their owners.

Sessions begun before know neither address nor browser: their owners sign in once more.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    create table security_events (
        event_id bigint generated always as identity primary key,
        at timestamptz not null,
        event text not null,
        actor text not null,
        employee_id uuid,
        address text not null,
        detail text not null
    )
    """,
    "create index security_events_at_idx on security_events (at)",
    "create index security_events_actor_idx on security_events (actor)",
    "create index security_events_employee_id_idx on security_events (employee_id)",
    "alter table employees add column last_sign_in_at timestamptz",
    "delete from sessions",
    """
    alter table sessions
        add column handle uuid not null unique,
        add column address text not null,
        add column user_agent text not null
    """,
)


def upgrade() -> None:
    """Create the table and the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
