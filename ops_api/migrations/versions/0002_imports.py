"""Remembers imports of real event logs, so that one that was killed goes on and none counts twice.

The unique index on a constant allows one unfinished import at a time.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """
    create table imports (
        import_id uuid primary key,
        file_name text not null,
        file_digest text not null,
        mapping_digest text not null,
        seed bigint not null,
        business_timezone text not null,
        shift_weeks integer not null,
        now timestamptz not null,
        is_mail_wanted boolean not null,
        count_moves_written bigint not null,
        overtaken_tickets text[] not null,
        tally jsonb not null,
        started_at timestamptz not null,
        finished_at timestamptz,
        abandoned_at timestamptz,
        unique (file_digest, mapping_digest),
        constraint imports_count_moves_written_check check (count_moves_written >= 0),
        constraint imports_one_end_check check (finished_at is null or abandoned_at is null)
    )
    """,
    """
    create unique index imports_unfinished_key on imports ((true))
    where finished_at is null and abandoned_at is null
    """,
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
