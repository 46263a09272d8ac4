"""One's own password and sessions in a browser."""

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from ops_api.auth import routes
from ops_api.auth.agents import device_of
from ops_api.auth.rules import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN
from ops_api.errors import RuleViolation, UnacceptableError
from ops_api.web.forms import count
from ops_api.web.pages import Refusal, refusal_of, see_other, show
from ops_api.web.rights import allow

# How long a password may be, for the forms.
LENGTHS = {"min": PASSWORD_LENGTH_MIN, "max": PASSWORD_LENGTH_MAX}

blueprint = Blueprint("account_pages", __name__)


@blueprint.get("/password")
@allow("employee")
def get_password() -> Response:
    """The form to change one's password with."""
    return _password_page()


@blueprint.post("/password")
@allow("employee")
def post_password() -> Response:
    """Change it: all other sessions end, this one goes on under a new id."""
    try:
        session_id = routes.change_password(request.form.get("current", ""), new_password())
    except RuleViolation as violation:
        return _password_page(refusal_of(violation))
    response = see_other("/password", saved="yes")
    routes.set_cookie(response, session_id)
    return response


@blueprint.get("/sessions")
@allow("employee")
def get_sessions() -> Response:
    """Where one is signed in."""
    return _sessions_page()


@blueprint.post("/sessions/<uuid:handle>/end")
@allow("employee")
def post_end(handle: UUID) -> Response:
    """Sign out in another browser."""
    try:
        routes.end_one(handle)
    except RuleViolation as violation:
        return _sessions_page(refusal_of(violation))
    return see_other("/sessions", ended=1)


@blueprint.post("/sessions/end-others")
@allow("employee")
def post_end_others() -> Response:
    """Sign out everywhere but here."""
    return see_other("/sessions", ended=routes.end_others().count_sessions)


def new_password() -> str:
    """The new password of the form that was sent; raises UnacceptableError if typed differently."""
    password = request.form.get("new", "")
    if password != request.form.get("again", ""):
        raise UnacceptableError("passwords-differ", "The two new passwords are not the same.")
    return password


def ended(number: int) -> str:
    """What a page says after so many sessions were ended."""
    words: str = ngettext(
        "%(shown)s session was ended.",
        "%(shown)s sessions were ended.",
        number,
        shown=count(number),
    )
    return words


def _password_page(refusal: Refusal | None = None) -> Response:
    is_saved = "saved" in request.args
    notice = _("Your password is changed. All other sessions were ended.") if is_saved else ""
    return show("password.html", refusal=refusal, notice=notice, lengths=LENGTHS)


def _sessions_page(refusal: Refusal | None = None) -> Response:
    number = request.args.get("ended", type=int)
    return show(
        "sessions.html",
        refusal=refusal,
        notice="" if number is None else ended(number),
        sessions=routes.list_own(),
        device_of=device_of,
    )
