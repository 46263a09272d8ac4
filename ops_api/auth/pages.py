"""Signing in and out in a browser, and choosing a password by a link."""

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
    """The form to ask for a link with."""
    return _forgotten_page()


@blueprint.post("/forgot-password")
@allow("anyone")
def post_forgotten() -> Response:
    """Send a link to who has the address; what is shown does not tell whether somebody has."""
    email = request.form.get("email", "")
    try:
        routes.request_link(email)
    except TooManyTriesError as violation:
        return _forgotten_page(email=email, refusal=refusal_of(violation))
    return _forgotten_page(
        notice=_("If somebody works here under this address, a link is on its way there.")
    )


@blueprint.get("/set-password")
@allow("anyone")
def get_link() -> Response:
    """The form behind a link; looking at it, as scanners of mail do, does not use the link up."""
    return _link_page(request.args.get("token", ""))


@blueprint.post("/set-password")
@allow("anyone")
def post_link() -> Response:
    """Choose the password, and go on signed in."""
    token = request.form.get("token", "")
    try:
        signed_in = routes.redeem(token, new_password())
    except (NotFoundError, UnacceptableError) as violation:
        return _link_page(token, refusal_of(violation))
    response = Response(status=303, headers={"Location": "/"})
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
    *, email: str = "", refusal: Refusal | None = None, notice: str = ""
) -> Response:
    page = render_template("forgot_password.html", email=email, refusal=refusal, notice=notice)
    return answered(page, refusal)


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
    target = local_address(target)
    page = render_template("login.html", email=email, refusal=refusal, notice=notice, target=target)
    return answered(page, refusal)
