"""Signing in, and ending sessions."""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, text

from ops_api.auth import passwords
from ops_api.auth.identity import Identity
from ops_api.auth.limits import TooManyTriesError, count_try, forget_tries
from ops_api.auth.sessions import start_session
from ops_api.employees import rules
from ops_api.errors import NotSignedInError, UnacceptableError
from ops_api.security_log import log_security
from ops_api.unit_of_work import in_transaction

_CREDENTIALS = text("""
select employee_id, name, email, role, password_hash
from employees where lower(email) = lower(:email) and is_active
""")
_REHASH = text("""
update employees set password_hash = :new_hash
where employee_id = :employee_id and password_hash = :old_hash
""")
_SEEN = text("update employees set last_sign_in_at = :now where employee_id = :employee_id")
_END_ONE = text("delete from sessions where employee_id = :employee_id and handle = :handle")
_END_ALL = text("delete from sessions where employee_id = :employee_id")


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session's id, for the cookie alone, and whose session it is."""

    session_id: str
    identity: Identity


def sign_in(
    engine: Engine,
    *,
    email: str,
    password: str,
    now: dt.datetime,
    address: str = "",
    user_agent: str = "",
) -> SignedIn:
    """Check a password and begin a session; no connection is held while the hash is computed.

    Raises NotSignedInError, the same and about as late for an unknown address as for a wrong
    password, and BusyError when too many sign in at once.
    """
    tried = {"email": email, "address": address}
    try:
        in_transaction(engine, lambda each: count_try(each, now=now, **tried))
    except TooManyTriesError:
        log_security("sign_in_throttled", email=email)
        raise
    wanted = {"email": _searchable(email)}
    row = in_transaction(engine, lambda each: each.execute(_CREDENTIALS, wanted).one_or_none())
    stored_hash = None if row is None else row.password_hash
    if not passwords.is_correct(stored_hash, password) or row is None:
        log_security("sign_in_refused", email=email)
        raise NotSignedInError("wrong-credentials", "The address or the password is wrong.")
    assert stored_hash is not None
    renewed = passwords.hash_password(password) if passwords.is_outdated(stored_hash) else None
    identity = Identity(employee_id=row.employee_id, name=row.name, email=row.email, role=row.role)

    def begin(connection: Connection) -> str:
        if renewed:
            hashes = {"new_hash": renewed, "old_hash": stored_hash}
            connection.execute(_REHASH, {"employee_id": identity.employee_id} | hashes)
        forget_tries(connection, **tried)
        connection.execute(_SEEN, {"employee_id": identity.employee_id, "now": now})
        return start_session(
            connection,
            employee_id=identity.employee_id,
            now=now,
            address=address,
            user_agent=user_agent,
        )

    session_id = in_transaction(engine, begin)
    log_security("signed_in", employee_id=identity.employee_id)
    return SignedIn(session_id=session_id, identity=identity)


def end_session(connection: Connection, *, employee_id: UUID, handle: UUID) -> bool:
    """End one of the employee's sessions; False when there is none (any more)."""
    values = {"employee_id": employee_id, "handle": handle}
    return connection.execute(_END_ONE, values).rowcount == 1


def end_sessions_of(connection: Connection, *, employee_id: UUID) -> int:
    """End every session of the employee, everywhere; how many there were."""
    return connection.execute(_END_ALL, {"employee_id": employee_id}).rowcount


def _searchable(email: str) -> str:
    """The address if it is one; else a text that no row has."""
    try:
        return rules.clean_email(email)
    except UnacceptableError:
        return ""
