"""How a reader wants the pages: language and theme, kept in the browser for a year."""

from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request

from ops_api.errors import UnacceptableError
from ops_api.web import languages
from ops_api.web.rights import allow
from ops_api.web.state import tracker

THEME_COOKIE = "ates_theme"
THEMES = ("system", "light", "dark")
KEPT_SECONDS = 365 * 24 * 3600

blueprint = Blueprint("preferences", __name__)


def install(app: Flask) -> None:
    """Tell the templates which theme was chosen."""
    app.jinja_env.globals["theme"] = theme
    app.jinja_env.globals["themes"] = THEMES


def theme() -> str:
    """The theme the reader chose, or `system`."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"


@blueprint.post("/preferences")
@allow("anyone")
def post_preferences() -> Response:
    """Keep the language and theme of the form, and go back to where it stood."""
    language = request.form.get("language", languages.language())
    chosen = request.form.get("theme", theme())
    if language not in languages.LANGUAGES or chosen not in THEMES:
        raise UnacceptableError("bad-preference", "There is no such language or theme.")
    response = Response(status=303, headers={"Location": _back()})
    for name, value in ((languages.COOKIE, language), (THEME_COOKIE, chosen)):
        response.set_cookie(
            name, value, max_age=KEPT_SECONDS, samesite="Lax", secure=tracker().settings.is_https
        )
    return response


def _back() -> str:
    """The page of ours on which the form stood, or the first one."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or not parts.path.startswith("/"):
        return "/"
    # A path that begins with two slashes would lead to another host.
    path = "/" + parts.path.lstrip("/\\")
    return f"{path}?{parts.query}" if parts.query else path
