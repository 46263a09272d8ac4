"""Signing in and out in a browser."""

from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request
from flask_babel import gettext as _

from ops_api.auth import routes
from ops_api.auth.provider.clients import origins_of
from ops_api.auth.provider.server import provider
from ops_api.auth.rules import local_address
from ops_api.errors import NotSignedInError, TooManyTriesError
from ops_api.web.pages import Refusal, answered, refusal_of
from ops_api.web.rights import allow

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


@blueprint.post("/logout")
@allow("employee")
def post_logout() -> Response:
    """Sign out from the button."""
    routes.end()
    query = urlencode({SIGNED_OUT: 1})
    response = Response(status=303, headers={"Location": f"/login?{query}"})
    routes.clear_cookie(response)
    return response


def _login_page(
    target: str | None, *, email: str = "", refusal: Refusal | None = None, notice: str = ""
) -> Response:
    g.form_targets = origins_of(provider().clients)  # the form may end at a client's
    target = local_address(target)
    page = render_template("login.html", email=email, refusal=refusal, notice=notice, target=target)
    return answered(page, refusal)
