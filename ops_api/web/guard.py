"""Before every request: who is asking, from which page, with what right."""

import hmac
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from ops_api.auth import sessions
from ops_api.auth.identity import Caller, Identity, Service, actor_of
from ops_api.errors import InvalidRequestError, NotAllowedError, NotSignedInError
from ops_api.security_log import log_security
from ops_api.web.requests import SAFE_METHODS, require_few_parameters
from ops_api.web.rights import Rule, may, rule_of
from ops_api.web.state import tracker

COOKIE = "ates_session"
API_PREFIXES = ("/api/", "/health", "/ready", "/metrics")
CSRF_FIELD = "csrf_token"


def install(app: Flask) -> None:
    """Put the guard before every route of the app."""
    app.before_request(_admit)


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


def is_api_path() -> bool:
    """Whether the route belongs to the JSON API, whose calls no foreign page can forge."""
    return request.path.startswith(API_PREFIXES)


def session_id() -> str:
    """The session's id as the browser sent it, or an empty text."""
    return request.cookies.get(cookie_name(), "")


def cookie_name() -> str:
    """The session cookie's name; on https one that browsers bind to our host and to https."""
    return f"__Host-{COOKIE}" if tracker().settings.is_https else COOKIE


def _admit() -> AnyResponse | None:
    _require_known_host()
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None:
        return None  # no such route: the router's own answer is on its way
    require_few_parameters()
    rule = rule_of(view)
    if request.method not in SAFE_METHODS:
        _require_own_origin()
    if "anyone" in rule.rights:
        return None
    g.caller = _identify()
    if g.caller is None:
        if is_api():
            raise NotSignedInError("not-signed-in", "Sign in, or send a valid token.")
        return redirect("/login", 303)
    _require_right(g.caller, rule)
    if request.method not in SAFE_METHODS and not is_api_path():
        _require_form_token()
    return None


def _identify() -> Caller | None:
    """Who is asking; a bearer's scopes are left in `g.scopes`, a session has no such limit."""
    g.scopes = None
    if authorization := request.headers.get("Authorization"):
        scheme, _, token = authorization.partition(" ")
        expected = tracker().settings.tracker_service_token
        is_right = hmac.compare_digest(token.strip().encode(), expected.encode())
        if scheme.lower() == "bearer" and is_right:
            g.scopes = frozenset({"days:close", "metrics:read"})
            return Service()
        log_security("token_refused", path=request.path)
        return None
    if not session_id():
        return None
    now = tracker().clock()
    found = tracker().read(lambda each: sessions.find_session(each, session_id(), now=now))
    if found is None:
        log_security("session_refused", path=request.path)
    return found


def _require_known_host() -> None:
    """A page of ours read under a stranger's name would be the stranger's page."""
    if urlsplit(f"//{request.host}").hostname not in tracker().settings.hosts:
        log_security("unknown_host_refused", host=request.host, path=request.path)
        raise InvalidRequestError(
            "unknown-host", f"The tracker's address is {tracker().settings.tracker_url}."
        )


def _require_right(who: Caller, rule: Rule) -> None:
    if not may(who, rule):
        log_security("refused", actor=actor_of(who), method=request.method, path=request.path)
        raise NotAllowedError("not-allowed", "Your role has no right to this.")
    if g.scopes is not None and rule.scope not in g.scopes:
        log_security("scope_refused", actor=actor_of(who), method=request.method, path=request.path)
        wanted = f"the scope {rule.scope}" if rule.scope else "a session: no token is enough"
        raise NotAllowedError("insufficient-scope", f"This needs {wanted}.")


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
