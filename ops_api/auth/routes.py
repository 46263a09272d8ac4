"""Signing in and out over HTTP, as JSON.

These two need no Idempotency-Key: signing in again only begins another session, and its answer, a
secret, must not be stored; signing out twice is signing out.
"""

import msgspec
from flask import Blueprint, Response, request

from ops_api.auth.commands import SignedIn, sign_in
from ops_api.auth.identity import Identity
from ops_api.auth.rules import SESSION_LIFETIME
from ops_api.auth.sessions import forget_session
from ops_api.security_log import log_security
from ops_api.unit_of_work import in_transaction
from ops_api.web.answers import json_response
from ops_api.web.guard import cookie_name, employee, session_id
from ops_api.web.operations import operation
from ops_api.web.state import tracker

blueprint = Blueprint("auth", __name__, url_prefix="/api/v1")


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one signs in with."""

    email: str
    password: str


@blueprint.post("/session")
@operation("anyone", scope=None, answer=Identity, status=201, refusals=(401,))
def post_session(body: Credentials) -> Response:
    """Sign in: answers who one is and sets the session's cookie."""
    signed_in = begin(body.email, body.password)
    response = json_response(signed_in.identity, 201)
    set_cookie(response, signed_in.session_id)
    return response


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


def begin(email: str, password: str) -> SignedIn:
    """Sign in and leave the session this browser may have had before."""
    signed_in = sign_in(
        tracker().engine,
        email=email,
        password=password,
        now=tracker().clock(),
        address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", ""),
    )
    if session_id():
        _forget(session_id())
    return signed_in


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


def _forget(old_session_id: str) -> None:
    in_transaction(tracker().engine, lambda each: forget_session(each, old_session_id))
