"""Signing in, changing one's password, and ending sessions."""

from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, text

from ops_api.auth import passwords
from ops_api.auth.identity import Identity
from ops_api.auth.limits import PASSWORDS, Limit, count_try, forget_tries
from ops_api.auth.password_rules import require_good
from ops_api.auth.sessions import Visit, start_session
from ops_api.employees import rules
from ops_api.employees.commands import set_password
from ops_api.errors import (
    ConflictError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    TooManyTriesError,
    UnacceptableError,
)
from ops_api.security_log import log_refusal, log_security
from ops_api.unit_of_work import in_transaction

_CREDENTIALS = text("""
select employee_id, name, email, role, password_hash
from employees where lower(email) = lower(:email) and is_active
""")
_HASH = text("select password_hash from employees where employee_id = :employee_id for update")
_REHASH = text("""
update employees set password_hash = :new_hash
where employee_id = :employee_id and password_hash = :old_hash
""")
_SEEN = text("""
update employees set last_sign_in_at = :now, language = :language
where employee_id = :employee_id
""")
_END_ONE = text("delete from sessions where employee_id = :employee_id and handle = :handle")
_END_OTHERS = text("delete from sessions where employee_id = :employee_id and handle <> :here")
_END_ALL = text("delete from sessions where employee_id = :employee_id")


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session's id, for the cookie alone, and whose session it is."""

    session_id: str
    identity: Identity


def sign_in(engine: Engine, visit: Visit, *, email: str, password: str) -> SignedIn:
    """Check a password and begin a session; no connection is held while the hash is computed.

    Raises NotSignedInError, the same and about as late for an unknown address as for a wrong
    password, and BusyError when too many sign in at once.
    """
    begin_try(engine, visit, PASSWORDS, email, refused_as="sign_in_throttled", email=email)
    wanted = {"email": searchable(email)}
    row = in_transaction(engine, lambda each: each.execute(_CREDENTIALS, wanted).one_or_none())
    stored_hash = None if row is None else row.password_hash
    if not passwords.is_correct(stored_hash, password) or row is None:
        log_refusal("sign_in_refused", email=email)
        raise NotSignedInError("wrong-credentials", "The address or the password is wrong.")
    assert stored_hash is not None
    renewed = passwords.hash_password(password) if passwords.is_outdated(stored_hash) else None
    identity = Identity(employee_id=row.employee_id, name=row.name, email=row.email, role=row.role)

    def begin(connection: Connection) -> str:
        if renewed:
            hashes = {"new_hash": renewed, "old_hash": stored_hash}
            connection.execute(_REHASH, {"employee_id": identity.employee_id} | hashes)
        forget_tries(connection, PASSWORDS, email=email, address=visit.address)
        return begin_session(connection, identity, visit)

    session_id = in_transaction(engine, begin)
    log_security("signed_in", employee_id=identity.employee_id)
    return SignedIn(session_id=session_id, identity=identity)


def change_password(engine: Engine, visit: Visit, who: Identity, *, current: str, new: str) -> str:
    """Replace a password that is known; every session ends, and the id of a new one comes back.

    Raises NotAllowedError for a wrong present password, UnacceptableError for a bad new one,
    TooManyTriesError and BusyError as signing in does.
    """
    begin_try(engine, visit, PASSWORDS, who.email, refused_as="password_throttled")
    stored_hash = in_transaction(engine, lambda each: _password_hash(each, who.employee_id))
    if not passwords.is_correct(stored_hash, current):
        raise _wrong_password()
    tried = {"email": who.email, "address": visit.address}
    in_transaction(engine, lambda each: forget_tries(each, PASSWORDS, **tried))
    require_good(new, name=who.name, email=who.email)
    new_hash = passwords.hash_password(new)

    def replace(connection: Connection) -> str:
        if _password_hash(connection, who.employee_id) != stored_hash:
            raise _wrong_password()  # somebody else has just replaced it
        set_password(connection, employee_id=who.employee_id, password_hash=new_hash)
        return begin_session(connection, who, visit)

    session_id = in_transaction(engine, replace)
    log_security("password_changed", employee_id=who.employee_id)
    return session_id


def end_session(connection: Connection, *, employee_id: UUID, handle: UUID) -> bool:
    """End one of the employee's sessions; False when there is none (any more)."""
    values = {"employee_id": employee_id, "handle": handle}
    return connection.execute(_END_ONE, values).rowcount == 1


def end_another_session(
    connection: Connection, *, employee_id: UUID, handle: UUID, here: UUID
) -> None:
    """End one of the employee's sessions other than `here`; raises ConflictError, NotFoundError."""
    if handle == here:
        raise ConflictError("own-session", "This is the session you are using: sign out instead.")
    if not end_session(connection, employee_id=employee_id, handle=handle):
        raise NotFoundError("no-such-session", "There is no such session any more.")


def end_other_sessions(connection: Connection, *, employee_id: UUID, here: UUID) -> int:
    """End all of the employee's sessions but `here`; how many there were."""
    return connection.execute(_END_OTHERS, {"employee_id": employee_id, "here": here}).rowcount


def end_sessions_of(connection: Connection, *, employee_id: UUID) -> int:
    """End every session of the employee, everywhere; how many there were."""
    return connection.execute(_END_ALL, {"employee_id": employee_id}).rowcount


def begin_try(
    engine: Engine, visit: Visit, limit: Limit, email: str, /, *, refused_as: str, **detail: object
) -> None:
    """Count a try of this visit in a transaction of its own, before anything is looked at.

    Raises TooManyTriesError, which is logged as `refused_as` with that detail.
    """
    now, address = visit.now, visit.address
    try:
        in_transaction(
            engine, lambda each: count_try(each, limit, email=email, address=address, now=now)
        )
    except TooManyTriesError:
        log_refusal(refused_as, **detail)
        raise


def begin_session(connection: Connection, who: Identity, visit: Visit) -> str:
    """Begin a session for somebody whose password was right or is new; its id."""
    seen = {"employee_id": who.employee_id, "now": visit.now, "language": visit.language}
    connection.execute(_SEEN, seen)
    return start_session(
        connection,
        employee_id=who.employee_id,
        now=visit.now,
        address=visit.address,
        user_agent=visit.user_agent,
    )


def _password_hash(connection: Connection, employee_id: UUID) -> str | None:
    row = connection.execute(_HASH, {"employee_id": employee_id}).one_or_none()
    return None if row is None else row.password_hash


def _wrong_password() -> NotAllowedError:
    log_refusal("password_refused")
    return NotAllowedError("wrong-password", "The present password is wrong.")


def searchable(email: str) -> str:
    """The address if it is one; else a text that no row has."""
    try:
        return rules.clean_email(email)
    except UnacceptableError:
        return ""
