"""Counts tries to sign in, so that guessing takes ever longer."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    """
    create table sign_in_tries (
        key bytea primary key,
        count_tries integer not null,
        last_at timestamptz not null
    )
    """,
    "create index sign_in_tries_last_at_idx on sign_in_tries (last_at)",
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
