"""Remembers the provider's codes and tokens, each as long as the session that it belongs to."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    """
    create table authorization_codes (
        code_hash bytea primary key,
        client_id text not null,
        session_hash bytea not null references sessions on delete cascade,
        redirect_uri text not null,
        scope text not null,
        nonce text not null,
        code_challenge text not null,
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        redeemed_at timestamptz,
        unique (client_id, nonce),
        constraint authorization_codes_code_hash_check check (length(code_hash) = 32)
    )
    """,
    "create index authorization_codes_session_hash_idx on authorization_codes (session_hash)",
    "create index authorization_codes_issued_at_idx on authorization_codes (issued_at)",
    """
    create table access_tokens (
        token_hash bytea primary key,
        client_id text not null,
        session_hash bytea references sessions on delete cascade,
        code_hash bytea,
        scope text not null,
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        constraint access_tokens_token_hash_check check (length(token_hash) = 32),
        constraint access_tokens_session_by_code_check
            check ((session_hash is null) = (code_hash is null))
    )
    """,
    "create index access_tokens_session_hash_idx on access_tokens (session_hash)",
    "create index access_tokens_code_hash_idx on access_tokens (code_hash)",
    "create index access_tokens_expires_at_idx on access_tokens (expires_at)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
