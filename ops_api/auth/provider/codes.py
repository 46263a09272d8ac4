"""Authorization codes: good once, for a minute, for one client; only their SHA-256 is kept.

A used code stays on record as long as its token may live: presented again, it is stolen, and the
tokens that it brought are ended.
"""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from ops_api.auth.rules import CODE_LIFETIME, TOKEN_LIFETIME
from ops_api.auth.tokens import hashed

PURGED_AT_ONCE_MAX = 100

_INSERT = text("""
insert into authorization_codes (
    code_hash, client_id, session_hash, redirect_uri, scope, nonce, code_challenge, issued_at,
    expires_at
)
values (
    :code_hash, :client_id, :session_hash, :redirect_uri, :scope, :nonce, :code_challenge, :now,
    :expires_at
)
on conflict (client_id, nonce) do nothing
""")
_PURGE = text("""
delete from authorization_codes where code_hash in (
    select code_hash from authorization_codes where issued_at < :before
    order by issued_at limit :limit for update skip locked
)
""")
_REDEEM = text("""
with redeemed as (
    update authorization_codes set redeemed_at = :now
    where code_hash = :code_hash and client_id = :client_id and redeemed_at is null
        and expires_at > :now
    returning *
)
select code_hash, redeemed.session_hash, redirect_uri, scope, nonce, code_challenge, handle,
    employee_id, sessions.created_at as signed_in_at
from redeemed join sessions using (session_hash)
""")
_IS_REPLAY = text("""
select redeemed_at is not null from authorization_codes
where code_hash = :code_hash and client_id = :client_id
""")
_NONCE = text("""
select true from authorization_codes where client_id = :client_id and nonce = :nonce
""")


class NewCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a code stands for until it is redeemed."""

    client_id: str
    session_hash: bytes
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str


class RedeemedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was good; the methods are those that Authlib asks of one."""

    code_hash: bytes
    session_hash: bytes
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    handle: UUID
    employee_id: UUID
    signed_in_at: dt.datetime
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it allows."""
        return self.scope

    def get_nonce(self) -> str:
        """What ties the ID token to the browser that asked."""
        return self.nonce

    def get_auth_time(self) -> int:
        """When the password was checked, in seconds since 1970."""
        return int(self.signed_in_at.timestamp())

    def get_acr(self) -> None:
        """No level of assurance is claimed."""

    def get_amr(self) -> list[str]:
        """A password, and nothing else."""
        return ["pwd"]


def keep_code(connection: Connection, code: str, new: NewCode, *, now: dt.datetime) -> bool:
    """Write a code down; False when the client has used this nonce before."""
    purge = {"before": now - TOKEN_LIFETIME, "limit": PURGED_AT_ONCE_MAX}
    connection.execute(_PURGE, purge)
    times = {"code_hash": hashed(code), "now": now, "expires_at": now + CODE_LIFETIME}
    return connection.execute(_INSERT, msgspec.structs.asdict(new) | times).rowcount == 1


def redeem_code(
    connection: Connection, code: str, client_id: str, *, now: dt.datetime
) -> RedeemedCode | None:
    """Use a code up, whatever comes of it; None for one that is unknown, old, used or another's.

    Of two that come with the same code at once, one gets it.
    """
    values = {"code_hash": hashed(code), "client_id": client_id, "now": now}
    row = connection.execute(_REDEEM, values).one_or_none()
    if row is None:
        return None
    found = dict(row._mapping)
    binary = {name: bytes(found[name]) for name in ("code_hash", "session_hash")}
    return RedeemedCode(**(found | binary))


def is_replay(connection: Connection, code: str, client_id: str) -> bool:
    """Whether this client has redeemed the code before."""
    values = {"code_hash": hashed(code), "client_id": client_id}
    return bool(connection.execute(_IS_REPLAY, values).scalar_one_or_none())


def is_nonce_used(connection: Connection, nonce: str, client_id: str) -> bool:
    """Whether the client has used this nonce lately."""
    values = {"nonce": nonce, "client_id": client_id}
    return bool(connection.execute(_NONCE, values).scalar_one_or_none())
