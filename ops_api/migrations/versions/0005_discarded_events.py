"""Keeps who decided to do without which event of the log, and why: no log can tell that itself."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENT = """
create table discarded_events (
    position bigint primary key,
    business_date date not null,
    fee_cents bigint not null,
    reward_cents bigint not null,
    reason text not null,
    discarded_by text not null,
    discarded_at timestamptz not null,
    constraint discarded_events_said_check check (reason <> '' and discarded_by <> '')
)
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(STATEMENT)
