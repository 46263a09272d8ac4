"""Before every request: who is asking, from which page, with what right."""

from urllib.parse import urlencode, urlsplit

from flask import Flask, current_app, g, request
from werkzeug.datastructures import Authorization
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from ops_api.auth import sessions
from ops_api.auth.identity import Caller, Identity, Service, actor_of
from ops_api.auth.provider.clients import METRICS
from ops_api.auth.tokens import find_bearer
from ops_api.errors import InvalidRequestError, NotAllowedError, NotSignedInError
from ops_api.security_log import log_refusal
from ops_api.web.requests import SAFE_METHODS, require_few_parameters
from ops_api.web.rights import Rule, may, rule_of
from ops_api.web.state import tracker

COOKIE = "ates_session"
API_PREFIXES = (
    "/api/", "/health", "/ready", "/metrics",
    "/oauth/token", "/oauth/userinfo", "/oauth/jwks", "/.well-known/",
)  # fmt: skip
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


def own_session() -> sessions.LivingSession:
    """The session that is asking; only in routes closed to tokens."""
    found = g.get("session")
    assert isinstance(found, sessions.LivingSession)
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
    if view is None:  # no such route: the router's own answer is on its way
        session = None if is_api() else living_session()
        g.caller = session.identity if session else None  # so that the page has its menu
        return None
    require_few_parameters()
    rule = rule_of(view)
    if request.method not in SAFE_METHODS:
        _require_own_origin()
    if "anyone" in rule.rights:
        return None
    g.caller = _identify(rule)
    if g.caller is None:
        if is_api():
            raise NotSignedInError("not-signed-in", "Sign in, or send a valid token.")
        return redirect(_login_address(), 303)
    _require_right(g.caller, rule)
    if request.method not in SAFE_METHODS and not is_api_path():
        _require_form_token()
    return None


def _login_address() -> str:
    """Where to sign in, and from there back to the page that was asked for."""
    if request.method not in SAFE_METHODS or request.path == "/":
        return "/login"
    return f"/login?{urlencode({'next': request.full_path.rstrip('?')})}"


def living_session() -> sessions.LivingSession | None:
    """The session of the browser that asks, if it has one."""
    if not session_id():
        return None
    now = tracker().clock()
    found = tracker().read(lambda each: sessions.find_session(each, session_id(), now=now))
    if found is None:
        log_refusal("session_refused", path=request.path)
    return found


def _require_known_host() -> None:
    """A page of ours read under a stranger's name would be the stranger's page."""
    if urlsplit(f"//{request.host}").hostname not in tracker().settings.hosts:
        log_refusal("unknown_host_refused", host=request.host, path=request.path)
        raise InvalidRequestError(
            "unknown-host", f"The tracker's address is {tracker().settings.tracker_url}."
        )


def _require_right(who: Caller, rule: Rule) -> None:
    if not may(who, rule):
        log_refusal("refused", actor=actor_of(who), method=request.method, path=request.path)
        raise NotAllowedError("not-allowed", "Your role has no right to this.")
    if g.scopes is not None and rule.scope not in g.scopes:
        log_refusal("scope_refused", actor=actor_of(who), method=request.method, path=request.path)
        wanted = f"the scope {rule.scope}" if rule.scope else "a session: no token is enough"
        raise NotAllowedError("insufficient-scope", f"This needs {wanted}.")


def bearer_token() -> str:
    """The token that the request brings in its header, or an empty text."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _identify(rule: Rule) -> Caller | None:
    """Whoever asks; when there is a token, nothing else counts."""
    g.scopes = None  # a session may do all that its role may
    if rule.scope == METRICS and (basic := request.authorization) and basic.type == "basic":
        return _identify_by_secret(basic)
    if "Authorization" in request.headers:
        return _identify_by_token()
    g.session = living_session()
    return g.session.identity if g.session else None


def _identify_by_token() -> Caller | None:
    token, now = bearer_token(), tracker().clock()
    found = tracker().read(lambda each: find_bearer(each, token, now)) if token else None
    if found is None:
        log_refusal("token_refused", path=request.path)
        return None
    who, g.scopes = found
    return who


def _identify_by_secret(basic: Authorization) -> Caller | None:
    """A service that reads figures, also when the database and its tokens are away."""
    client = current_app.extensions["oidc"].clients.get(basic.username or "")
    is_right = client is not None and client.check_client_secret(basic.password or "")
    if not is_right or METRICS not in client.scopes:
        log_refusal("client_refused", client=basic.username, path=request.path)
        return None
    g.scopes = frozenset({METRICS})
    return Service()


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
        log_refusal("foreign_origin_refused", origin=source or site, path=request.path)
        raise NotAllowedError("foreign-origin", "The request comes from another site.")


def _require_form_token() -> None:
    if not sessions.is_csrf_token(session_id(), request.form.get(CSRF_FIELD, "")):
        log_refusal("form_token_refused", actor=actor_of(caller()), path=request.path)
        raise NotAllowedError("form-expired", "This form has expired. Load the page again.")
