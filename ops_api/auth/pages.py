"""Signing in and out in a browser."""

from flask import Blueprint, Response, render_template, request

from ops_api.auth import routes
from ops_api.errors import NotSignedInError
from ops_api.web.rights import allow

blueprint = Blueprint("auth_pages", __name__)


@blueprint.get("/login")
@allow("anyone")
def get_login() -> Response:
    """The form to sign in with."""
    return Response(render_template("login.html", email="", alert=None))


@blueprint.post("/login")
@allow("anyone")
def post_login() -> Response:
    """Sign in from the form; what was wrong shows above it."""
    email = request.form.get("email", "")
    try:
        signed_in = routes.begin(email, request.form.get("password", ""))
    except NotSignedInError as refusal:
        page = render_template("login.html", email=email, alert=refusal.detail)
        return Response(page, refusal.status)
    response = Response(status=303, headers={"Location": "/"})
    routes.set_cookie(response, signed_in.session_id)
    return response


@blueprint.post("/logout")
@allow("employee")
def post_logout() -> Response:
    """Sign out from the button."""
    routes.end()
    response = Response(status=303, headers={"Location": "/login"})
    routes.clear_cookie(response)
    return response
