"""Signing in and out in a browser, and choosing a password by a link.

`next` is where somebody wanted to go before they had to sign in. On the way over a mail it waits
in the browser that asked, not in the link: who asks in another one's name chooses nothing for them.
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request
from flask_babel import gettext as _

from ops_api.auth import routes
from ops_api.auth.link_commands import dead_link
from ops_api.auth.links import find_link
from ops_api.auth.pages_account import LENGTHS, new_password
from ops_api.auth.provider.clients import origins_of
from ops_api.auth.provider.server import provider
from ops_api.auth.rules import local_address
from ops_api.errors import (
    NotFoundError,
    NotSignedInError,
    TooManyTriesError,
    UnacceptableError,
)
from ops_api.web.pages import Refusal, answered, refusal_of
from ops_api.web.rights import allow
from ops_api.web.state import tracker

SIGNED_OUT = "signed_out"
LINK_PATH = "/set-password"
NEXT_COOKIE = "ates_next"
# So that the cookie stays within what browsers keep (4 KB), whatever must be written as three.
NEXT_LENGTH_MAX = 900

blueprint = Blueprint("auth_pages", __name__)


@blueprint.get("/login")
@allow("anyone")
def get_login() -> Response:
    """The form to sign in with; `next` in the query is where one wanted to go."""
    notice = _("You are signed out.") if SIGNED_OUT in request.args else ""
    return _login_page(request.args.get("next"), notice=notice)


@blueprint.post("/login")
@allow("anyone")
def post_login() -> Response:
    """Sign in from the form and go on; what was wrong shows above it."""
    email = request.form.get("email", "")
    try:
        signed_in = routes.begin(email, request.form.get("password", ""))
    except (NotSignedInError, TooManyTriesError) as violation:
        refusal = refusal_of(violation)
        return _login_page(request.form.get("next"), email=email, refusal=refusal)
    target = local_address(request.form.get("next"))
    response = Response(status=303, headers={"Location": target})
    routes.set_cookie(response, signed_in.session_id)
    return response


@blueprint.get("/forgot-password")
@allow("anyone")
def get_forgotten() -> Response:
    """The form to ask for a link with; `next` as for signing in."""
    return _forgotten_page(request.args.get("next"))


@blueprint.post("/forgot-password")
@allow("anyone")
def post_forgotten() -> Response:
    """Send a link to who has the address; what is shown does not tell whether somebody has."""
    email, target = request.form.get("email", ""), request.form.get("next")
    try:
        routes.request_link(email)
    except TooManyTriesError as violation:
        return _forgotten_page(target, email=email, refusal=refusal_of(violation))
    notice = _("If somebody works here under this address, a link is on its way there.")
    response = _forgotten_page(target, notice=notice)
    _keep_target(response, local_address(target))
    return response


@blueprint.get(LINK_PATH)
@allow("anyone")
def get_link() -> Response:
    """The form behind a link; looking at it, as scanners of mail do, does not use the link up."""
    return _link_page(request.args.get("token", ""))


@blueprint.post(LINK_PATH)
@allow("anyone")
def post_link() -> Response:
    """Choose the password, and go on signed in, where this browser wanted to go if it asked."""
    token = request.form.get("token", "")
    try:
        signed_in = routes.redeem(token, new_password())
    except (NotFoundError, UnacceptableError) as violation:
        return _link_page(token, refusal_of(violation))
    target = local_address(request.cookies.get(NEXT_COOKIE))
    response = Response(status=303, headers={"Location": target})
    response.delete_cookie(NEXT_COOKIE, path=LINK_PATH)
    routes.set_cookie(response, signed_in.session_id)
    return response


@blueprint.post("/logout")
@allow("employee")
def post_logout() -> Response:
    """Sign out from the button."""
    routes.end()
    query = urlencode({SIGNED_OUT: 1})
    response = Response(status=303, headers={"Location": f"/login?{query}"})
    routes.clear_cookie(response)
    return response


def _forgotten_page(
    target: str | None, *, email: str = "", refusal: Refusal | None = None, notice: str = ""
) -> Response:
    return _page_of("forgot_password.html", "/login", target, email, refusal, notice)


def _keep_target(response: Response, target: str) -> None:
    """Keep in this browser where to go on, for as long as a link for a new password works."""
    if target == "/" or len(target) > NEXT_LENGTH_MAX:
        return
    settings = tracker().settings
    response.set_cookie(
        NEXT_COOKIE,
        target,
        max_age=settings.link_lifetimes.reset,
        path=LINK_PATH,
        httponly=True,
        samesite="Lax",
        secure=settings.is_https,
    )


def _link_page(token: str, refusal: Refusal | None = None) -> Response:
    now = tracker().clock()
    to = tracker().read(lambda each: find_link(each, token, now))
    if to is None:
        refusal = refusal or refusal_of(dead_link())
    page = render_template(
        "set_password.html", to=to, token=token, refusal=refusal, lengths=LENGTHS
    )
    return answered(page, refusal)


def _login_page(
    target: str | None, *, email: str = "", refusal: Refusal | None = None, notice: str = ""
) -> Response:
    g.form_targets = origins_of(provider().clients)  # the form may end at a client's
    return _page_of("login.html", "/forgot-password", target, email, refusal, notice)


def _page_of(
    template: str,
    other_path: str,
    target: str | None,
    email: str,
    refusal: Refusal | None,
    notice: str,
) -> Response:
    """A form that asks for an address, with a link to the other one; both keep the target."""
    target = local_address(target)
    page = render_template(
        template,
        email=email,
        refusal=refusal,
        notice=notice,
        target=target,
        other_address=_going_on(other_path, target),
    )
    return answered(page, refusal)


def _going_on(path: str, target: str) -> str:
    """The address of a page from which one goes on to the target."""
    return path if target == "/" else f"{path}?{urlencode({'next': target})}"
