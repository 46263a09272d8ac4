"""Before every request: who is asking, from which page, and may they. After it: the headers."""

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from ops_api.auth import sessions
from ops_api.auth.identity import Caller, Identity, Service, actor_of
from ops_api.errors import NotAllowedError, NotSignedInError
from ops_api.security_log import log_security
from ops_api.web.rights import may, rights_of
from ops_api.web.state import tracker

COOKIE = "ates_session"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
API_PREFIXES = ("/api/", "/health")
CSRF_FIELD = "csrf_token"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask) -> None:
    """Put the guard before and the headers behind every route of the app."""
    app.before_request(_admit)
    app.after_request(_protect)


def caller() -> Caller:
    """Who is asking; only in routes that are not open to anyone."""
    found: Caller | None = g.get("caller")
    assert found is not None, "the guard lets nobody unknown in here"
    return found


def employee() -> Identity:
    """The employee who is asking; only in routes closed to services."""
    found = caller()
    assert isinstance(found, Identity)
    return found


def is_api() -> bool:
    """Whether a program is talking to us, which wants JSON also when things go wrong."""
    return is_api_path() or "text/html" not in request.headers.get("Accept", "")


def session_id() -> str:
    """The session's id as the browser sent it, or an empty text."""
    return request.cookies.get(COOKIE, "")


def _admit() -> AnyResponse | None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        return None  # no such route: the router's own answer is on its way
    rights = rights_of(view)
    if request.method not in SAFE_METHODS:
        _require_own_origin()
    if "anyone" in rights:
        return None
    g.caller = _identify()
    if g.caller is None:
        if is_api():
            raise NotSignedInError("not-signed-in", "Sign in, or send a valid token.")
        return redirect("/login", 303)
    if not may(g.caller, rights):
        log_security("refused", actor=actor_of(g.caller), method=request.method, path=request.path)
        raise NotAllowedError("not-allowed", "Your role has no right to this.")
    if request.method not in SAFE_METHODS and not is_api_path():
        _require_form_token()
    return None


def is_api_path() -> bool:
    """Whether the route belongs to the JSON API, whose calls no foreign page can forge."""
    return request.path.startswith(API_PREFIXES)


def _identify() -> Caller | None:
    if authorization := request.headers.get("Authorization"):
        scheme, _, token = authorization.partition(" ")
        expected = tracker().settings.tracker_service_token
        is_right = hmac.compare_digest(token.strip().encode(), expected.encode())
        if scheme.lower() == "bearer" and is_right:
            return Service()
        log_security("token_refused", path=request.path)
        return None
    if not session_id():
        return None
    now = tracker().clock()
    return tracker().read(lambda each: sessions.find_session(each, session_id(), now=now))


def _require_own_origin() -> None:
    """A browser says which page sends an unsafe request; another site's page may not."""
    source = request.headers.get("Origin") or request.headers.get("Referer")
    site = request.headers.get("Sec-Fetch-Site")
    if source is not None:
        parts = urlsplit(source)
        is_ours = f"{parts.scheme}://{parts.netloc}" in {tracker().origin, request.host_url[:-1]}
    else:
        is_ours = site in {None, "same-origin", "none"}
    if not is_ours:
        log_security("foreign_origin_refused", origin=source or site, path=request.path)
        raise NotAllowedError("foreign-origin", "The request comes from another site.")


def _require_form_token() -> None:
    if not sessions.is_csrf_token(session_id(), request.form.get(CSRF_FIELD, "")):
        log_security("form_token_refused", actor=actor_of(caller()), path=request.path)
        raise NotAllowedError("form-expired", "This form has expired. Load the page again.")


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    if tracker().settings.is_https:
        response.headers["Strict-Transport-Security"] = HSTS
    return response
