"""Signing in and out, one's password and one's sessions over HTTP, as JSON.

None of these needs an Idempotency-Key: an answer that holds a secret must not be stored, and doing
any of them twice is doing it once.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from flask import Blueprint, Response, request
from msgspec import Meta

from ops_api.auth import commands, link_commands, queries
from ops_api.auth.commands import SignedIn, sign_in
from ops_api.auth.identity import Identity
from ops_api.auth.letters import write_letter
from ops_api.auth.models import Ended, SecurityEvent, Session
from ops_api.auth.rules import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN, SESSION_LIFETIME
from ops_api.auth.sessions import Visit, forget_session
from ops_api.security_log import log_security
from ops_api.unit_of_work import in_transaction
from ops_api.web.answers import json_response
from ops_api.web.guard import cookie_name, employee, own_session, session_id
from ops_api.web.languages import language
from ops_api.web.operations import operation
from ops_api.web.state import tracker
from ops_api.web.texts import Words

blueprint = Blueprint("auth", __name__, url_prefix="/api/v1")


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one signs in with."""

    email: str
    password: str


# Said in the document; `password_rules.py` decides.
NewPassword = Annotated[
    str,
    Meta(extra_json_schema={"minLength": PASSWORD_LENGTH_MIN, "maxLength": PASSWORD_LENGTH_MAX}),
]


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password one has, and the one that takes its place."""

    current_password: str
    new_password: NewPassword


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has forgotten the password."""

    email: str


class Redemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link's token, and the password that is chosen by it."""

    token: str
    new_password: NewPassword


class SecurityListing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of the record: what happened before a cursor, of one kind, by or about somebody."""

    cursor: Annotated[int, Meta(ge=1, le=queries.NEWEST)] = queries.NEWEST
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_EVENTS_MAX)] = 100
    event: Words = ""
    employee_id: UUID | None = None


class SecurityPage(msgspec.Struct, frozen=True, kw_only=True):
    """What matters for security, newest first, and the cursor with which to ask for earlier."""

    events: list[SecurityEvent]
    next_cursor: int | None = None


class OwnSession(Session, frozen=True, kw_only=True):
    """One of the caller's sessions, and whether it is the one that asks."""

    is_current: bool


class OwnSessions(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's living sessions: the one that asks, then the one last used."""

    sessions: list[OwnSession]


@blueprint.post("/session")
@operation("anyone", scope=None, answer=Identity, status=201, refusals=(401, 429))
def post_session(body: Credentials) -> Response:
    """Sign in: answers who one is and sets the session's cookie."""
    return _answer_signed_in(begin(body.email, body.password))


@blueprint.delete("/session")
@operation("employee", scope=None, answer=None, status=204)
def delete_session() -> Response:
    """Sign out: the session's id is worthless from now on."""
    end()
    response = Response(status=204)
    clear_cookie(response)
    return response


@blueprint.get("/me")
@operation("employee", scope="profile", answer=Identity)
def get_me() -> Identity:
    """Who one is, in the role one has at this moment."""
    return employee()


@blueprint.post("/sign-in-links")
@operation("anyone", scope=None, answer=None, status=202, refusals=(429,))
def post_link_request(body: LinkRequest) -> Response:
    """Ask for a mail with a link to choose a new password by; whoever asks gets this answer."""
    request_link(body.email)
    return Response(status=202)


@blueprint.post("/sign-in-links/redeem")
@operation("anyone", scope=None, answer=Identity, status=201, refusals=(404,))
def post_redemption(body: Redemption) -> Response:
    """Choose a password by a link, once: every session ends, and one begins as in signing in."""
    return _answer_signed_in(redeem(body.token, body.new_password))


@blueprint.put("/me/password")
@operation("employee", scope=None, answer=None, status=204, refusals=(429,))
def put_password(body: PasswordChange) -> Response:
    """Change one's password: all sessions end, and this one goes on under a new id."""
    response = Response(status=204)
    set_cookie(response, change_password(body.current_password, body.new_password))
    return response


@blueprint.get("/me/sessions")
@operation("employee", scope=None, answer=OwnSessions)
def get_sessions() -> OwnSessions:
    """Where one is signed in."""
    return OwnSessions(sessions=list_own())


@blueprint.delete("/me/sessions")
@operation("employee", scope=None, answer=Ended)
def delete_other_sessions() -> Response:
    """Sign out everywhere but here."""
    return json_response(end_others())


@blueprint.delete("/me/sessions/<uuid:handle>")
@operation("employee", scope=None, answer=None, status=204, conflicts=("own-session",))
def delete_one_session(handle: UUID) -> Response:
    """Sign out in another browser."""
    end_one(handle)
    return Response(status=204)


@blueprint.get("/security-events")
@operation("admin", scope="employees:read", answer=SecurityPage)
def list_security_events(query: SecurityListing) -> SecurityPage:
    """What matters for security, newest first, a page at a time."""
    events = tracker().read(
        lambda each: queries.page_of_security_events(
            each,
            before=query.cursor,
            limit=query.limit,
            event=query.event or None,
            employee_id=query.employee_id,
        )
    )
    is_full = len(events) == query.limit
    return SecurityPage(events=events, next_cursor=events[-1].event_id if is_full else None)


def list_own() -> list[OwnSession]:
    """The caller's living sessions, first the one that asks."""
    now, here = tracker().clock(), own_session().handle
    found = tracker().read(lambda each: queries.sessions_of(each, employee().employee_id, now=now))
    return [
        OwnSession(**msgspec.structs.asdict(each), is_current=each.handle == here)
        for each in sorted(found, key=lambda each: each.handle != here)
    ]


def end_one(handle: UUID) -> None:
    """End another one of the caller's sessions; raises ConflictError, NotFoundError."""
    who, here = employee().employee_id, own_session().handle
    in_transaction(
        tracker().engine,
        lambda each: commands.end_another_session(each, employee_id=who, handle=handle, here=here),
    )
    log_security("session_ended", employee_id=who)


def end_others() -> Ended:
    """End all of the caller's sessions but the one that asks."""
    who, here = employee().employee_id, own_session().handle
    count = in_transaction(
        tracker().engine,
        lambda each: commands.end_other_sessions(each, employee_id=who, here=here),
    )
    log_security("other_sessions_ended", employee_id=who, count_sessions=count)
    return Ended(count_sessions=count)


def change_password(current: str, new: str) -> str:
    """Change the caller's password; the id of the session that goes on."""
    return commands.change_password(
        tracker().engine, _visit(), employee(), current=current, new=new
    )


def begin(email: str, password: str) -> SignedIn:
    """Sign in and leave the session this browser may have had before."""
    return _instead(sign_in(tracker().engine, _visit(), email=email, password=password))


def redeem(token: str, password: str) -> SignedIn:
    """Choose a password by a link, and leave the session this browser may have had before."""
    redeemed = link_commands.redeem_link(tracker().engine, _visit(), token=token, password=password)
    return _instead(redeemed)


def request_link(email: str) -> None:
    """Send a link to whoever has this address."""
    link_commands.request_link(
        tracker().engine,
        _visit(),
        email=email,
        lifetimes=tracker().settings.link_lifetimes,
        write=write_letter,
    )


def end() -> None:
    """End the caller's session."""
    log_security("signed_out", employee_id=employee().employee_id)
    _forget(session_id())


def set_cookie(response: Response, new_session_id: str) -> None:
    """Hand the session's id to the browser, out of reach of scripts and other sites."""
    response.set_cookie(
        cookie_name(),
        new_session_id,
        max_age=SESSION_LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=tracker().settings.is_https,
    )


def clear_cookie(response: Response) -> None:
    """Take the session's id away from the browser."""
    is_https = tracker().settings.is_https
    response.delete_cookie(cookie_name(), httponly=True, samesite="Lax", secure=is_https)


def _answer_signed_in(signed_in: SignedIn) -> Response:
    response = json_response(signed_in.identity, 201)
    set_cookie(response, signed_in.session_id)
    return response


def _visit() -> Visit:
    """The present request, as what begins a session."""
    return Visit(
        now=tracker().clock(),
        address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", ""),
        language=language(),
    )


def _instead(signed_in: SignedIn) -> SignedIn:
    if session_id():
        _forget(session_id())
    return signed_in


def _forget(old_session_id: str) -> None:
    in_transaction(tracker().engine, lambda each: forget_session(each, old_session_id))
