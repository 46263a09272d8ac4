"""Links to choose a password by: sent by admins, asked for by who has forgotten it, redeemed.

Where a letter is wanted, `write` makes it from its addressee, the token and the link's end.
"""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, text

from contracts.letters import Letter
from ops_api.auth import links, passwords
from ops_api.auth.commands import SignedIn, begin_session, begin_try, searchable
from ops_api.auth.identity import Identity
from ops_api.auth.limits import LINKS
from ops_api.auth.links import Addressee
from ops_api.auth.password_rules import require_good
from ops_api.auth.rules import LINK_PAUSE, Lifetimes
from ops_api.auth.sessions import Visit
from ops_api.auth.tokens import new_token
from ops_api.clock import Moment
from ops_api.employees.commands import set_password
from ops_api.errors import ConflictError, NotFoundError
from ops_api.security_log import log_refusal, log_security
from ops_api.unit_of_work import in_transaction

WriteLetter = Callable[[Addressee, str, dt.datetime], Letter]
NO_PAUSE = dt.timedelta(0)

_IDENTITY = text("""
select employee_id, name, email, role from employees where employee_id = :employee_id and is_active
""")


class SentLink(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a link goes, and how long it works; the link itself is in the mail alone."""

    employee_id: UUID
    email: str
    expires_at: Moment


def send_link(
    connection: Connection,
    *,
    employee_id: UUID,
    now: dt.datetime,
    lifetimes: Lifetimes,
    write: WriteLetter,
) -> SentLink:
    """Send somebody a link, which ends an older one; raises ConflictError for who has left."""
    to = links.find_addressee(connection, employee_id)
    if to is None:
        raise ConflictError("employee-left", "Who has left cannot sign in. Take them back first.")
    _, expires_at = make_link(connection, to, now=now, lifetimes=lifetimes, write=write)
    return SentLink(employee_id=employee_id, email=to.email, expires_at=expires_at)


def request_link(
    engine: Engine, visit: Visit, *, email: str, lifetimes: Lifetimes, write: WriteLetter
) -> None:
    """Send a link to whoever has this address; for an unknown one as much is done, and nothing.

    Raises TooManyTriesError, whoever's the address is.
    """
    begin_try(engine, visit, LINKS, email, refused_as="link_throttled", email=email)

    def work(connection: Connection) -> None:
        to = links.find_addressee_by_email(connection, searchable(email))
        make_link(connection, to, now=visit.now, lifetimes=lifetimes, write=write, pause=LINK_PAUSE)

    in_transaction(engine, work)
    log_security("link_requested", email=email)


def make_link(
    connection: Connection,
    to: Addressee,
    *,
    now: dt.datetime,
    lifetimes: Lifetimes,
    write: WriteLetter | None = None,
    pause: dt.timedelta = NO_PAUSE,
) -> tuple[str, dt.datetime]:
    """A link's token and its end, written down with its letter; for nobody's stand-in, nothing is.

    Without `write` there is no letter: whoever called hands the token over.
    """
    token = new_token()
    expires_at = now + (lifetimes.first if to.is_first else lifetimes.reset)
    letter = None if write is None else write(to, token, expires_at)
    links.keep_link(
        connection,
        to.employee_id,
        token,
        now=now,
        expires_at=expires_at,
        letter=letter,
        pause=pause,
    )
    return token, expires_at


def redeem_link(engine: Engine, visit: Visit, *, token: str, password: str) -> SignedIn:
    """Choose a password by a link, which is used up; all sessions end, and a new one begins.

    Raises NotFoundError for a link that does not work (any more), UnacceptableError for a bad
    password, which leaves the link as it is, and BusyError.
    """
    to = in_transaction(engine, lambda each: links.find_link(each, token, visit.now))
    if to is None:
        raise dead_link()
    require_good(password, name=to.name, email=to.email)
    new_hash = passwords.hash_password(password)

    def redeem(connection: Connection) -> SignedIn:
        if not links.use_link(connection, token, visit.now):
            raise dead_link()  # somebody else was faster
        set_password(connection, employee_id=to.employee_id, password_hash=new_hash)
        (row,) = connection.execute(_IDENTITY, {"employee_id": to.employee_id})
        identity = Identity(**row._mapping)
        return SignedIn(session_id=begin_session(connection, identity, visit), identity=identity)

    signed_in = in_transaction(engine, redeem)
    log_security("password_set", employee_id=to.employee_id)
    return signed_in


def dead_link() -> NotFoundError:
    """The refusal of a link that does not work, which is on record."""
    log_refusal("link_refused")
    return NotFoundError(
        "no-such-link", "This link does not work any more: it is used, replaced or too old."
    )
