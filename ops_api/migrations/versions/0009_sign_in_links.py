"""Lets people choose a password by a link that works once, and remembers their language."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "alter table employees add column language text",
    """
    create table sign_in_links (
        employee_id uuid primary key references employees on delete cascade,
        link_id uuid not null unique,
        token_hash bytea not null unique,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        letter text,
        attempts integer not null default 0,
        next_attempt_at timestamptz not null,
        claimed_until timestamptz,
        sent_at timestamptz,
        last_error text,
        constraint sign_in_links_token_hash_check check (length(token_hash) = 32),
        constraint sign_in_links_letter_check check (letter is null or sent_at is null)
    )
    """,
)


def upgrade() -> None:
    """Create the table and the column."""
    for statement in STATEMENTS:
        op.execute(statement)
