"""Access tokens: opaque, 256 bits, only their SHA-256 in the database.

A token of a session is deleted with the session's row, so it dies with a sign-out, a change of
role, a leaver or a new password; it counts only while the session is alive.
"""

import datetime as dt
import hashlib
import secrets

import msgspec
from sqlalchemy import Connection, text

from ops_api.auth import rules
from ops_api.auth.identity import Caller, Identity, Service
from ops_api.auth.rules import TOKEN_LIFETIME

TOKEN_BYTES = 32
PURGED_AT_ONCE_MAX = 100

_INSERT = text("""
insert into access_tokens (
    token_hash, client_id, session_hash, code_hash, scope, issued_at, expires_at
)
values (:token_hash, :client_id, :session_hash, :code_hash, :scope, :now, :expires_at)
""")
_PURGE = text("""
delete from access_tokens where token_hash in (
    select token_hash from access_tokens where expires_at < :now
    order by expires_at limit :limit for update skip locked
)
""")
_FIND = text("""
select scope, session_hash, employees.employee_id, name, email, role, is_active,
    last_seen_at, sessions.expires_at as session_expires_at
from access_tokens
left join sessions using (session_hash)
left join employees using (employee_id)
where token_hash = :token_hash and access_tokens.expires_at > :now
""")
_MARK = text("update sessions set last_seen_at = :now where session_hash = :session_hash")
_REVOKE = text("delete from access_tokens where code_hash = :code_hash")


class TokenGrant(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a token is: a session, by way of a code, or (both None) the client itself."""

    client_id: str
    scope: str
    session_hash: bytes | None = None
    code_hash: bytes | None = None


def new_token() -> str:
    """A token nobody can guess."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hashed(secret: str) -> bytes:
    """What the database knows of a token or a code."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def keep_token(connection: Connection, token: str, grant: TokenGrant, *, now: dt.datetime) -> None:
    """Write a token down; the grant's session must exist."""
    connection.execute(_PURGE, {"now": now, "limit": PURGED_AT_ONCE_MAX})
    lifetime = TOKEN_LIFETIME if grant.session_hash else rules.SERVICE_TOKEN_LIFETIME
    times = {"token_hash": hashed(token), "now": now, "expires_at": now + lifetime}
    connection.execute(_INSERT, msgspec.structs.asdict(grant) | times)


def revoke_tokens(connection: Connection, code_hash: bytes) -> int:
    """End the tokens that a code brought; how many there were."""
    return connection.execute(_REVOKE, {"code_hash": code_hash}).rowcount


def find_bearer(
    connection: Connection, token: str, now: dt.datetime
) -> tuple[Caller, frozenset[str]] | None:
    """Who calls with this token, as they are now, and its scopes; None when it is worth nothing.

    Using a session's token is using the session.
    """
    row = connection.execute(_FIND, {"token_hash": hashed(token), "now": now}).one_or_none()
    if row is None:
        return None
    scopes = frozenset(row.scope.split())
    if row.session_hash is None:
        return Service(), scopes
    is_alive = row.is_active and rules.is_alive(
        now, last_seen_at=row.last_seen_at, expires_at=row.session_expires_at
    )
    if not is_alive:
        return None
    if rules.is_worth_marking(now, row.last_seen_at):
        connection.execute(_MARK, {"session_hash": bytes(row.session_hash), "now": now})
    identity = Identity(employee_id=row.employee_id, name=row.name, email=row.email, role=row.role)
    return identity, scopes
