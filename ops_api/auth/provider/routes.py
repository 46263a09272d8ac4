"""The provider's endpoints, for browsers that are sent here and for the clients themselves."""

from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Blueprint, Response, render_template, request

from ops_api.auth import routes as session_routes
from ops_api.auth.commands import end_session
from ops_api.auth.identity import Identity
from ops_api.auth.provider.clients import API_SCOPES, BASIC, CODE, CREDENTIALS, IDENTITY_SCOPES
from ops_api.auth.provider.keys import ALGORITHM
from ops_api.auth.provider.requests import asked_by_known_client, check_code_request, single_values
from ops_api.auth.provider.server import claims_of, issuer, provider
from ops_api.auth.sessions import LivingSession
from ops_api.auth.tokens import find_bearer
from ops_api.security_log import log_refusal, log_security
from ops_api.unit_of_work import in_transaction
from ops_api.web.answers import json_response
from ops_api.web.guard import bearer_token, living_session
from ops_api.web.rights import allow
from ops_api.web.state import tracker

blueprint = Blueprint("oidc", __name__)


@blueprint.get("/.well-known/openid-configuration")
@allow("anyone")
def get_configuration() -> Response:
    """What the provider can do and where (OpenID Connect Discovery)."""
    at = issuer()
    return json_response(
        {
            "issuer": at,
            "authorization_endpoint": f"{at}/oauth/authorize",
            "token_endpoint": f"{at}/oauth/token",
            "userinfo_endpoint": f"{at}/oauth/userinfo",
            "jwks_uri": f"{at}/oauth/jwks",
            "end_session_endpoint": f"{at}/oauth/logout",
            "scopes_supported": IDENTITY_SCOPES + API_SCOPES,
            "claims_supported": ["sub", "role", "name", "email", "sid", "auth_time", "amr"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [CODE, CREDENTIALS],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": [BASIC],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
    )


@blueprint.get("/oauth/jwks")
@allow("anyone")
def get_jwks() -> Response:
    """The public keys: the one that signs, and those that did."""
    return json_response(provider().keys.published())


@blueprint.get("/oauth/authorize")
@allow("anyone")
def get_authorize() -> Response:
    """Send the browser back with a code, by way of the sign-in page when nobody is signed in."""
    asked_by_known_client(provider().clients)  # else a page: nobody is to be sent anywhere
    session = living_session()
    try:
        check_code_request()
        grant = provider().get_consent_grant(end_user=session)
    except OAuth2Error as error:
        return _back_with(error)
    if session is None or grant.prompt == "login" or _is_too_old(session):
        return _by_way_of_login()
    answer = provider().create_authorization_response(grant_user=session, grant=grant)
    return _named(answer)


@blueprint.post("/oauth/token")
@allow("anyone")
def post_token() -> Response:
    """Redeem a code, or give a service its token."""
    try:
        single_values()
        answer: Response = provider().create_token_response()
    except OAuth2Error as error:
        answer = provider().handle_error_response(None, error)
    if answer.status_code >= 400:
        problem = answer.get_json()
        client = request.authorization.username if request.authorization else None
        log_refusal(
            "client_refused",
            client=client,
            grant=request.form.get("grant_type"),
            error=problem["error"],
            reason=problem.get("error_description"),
        )
    return answer


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
@allow("anyone")
def userinfo() -> Response:
    """Who the token's employee is at this moment; 401 as soon as the session is over."""
    now = tracker().clock()
    token = bearer_token()
    found = tracker().read(lambda each: find_bearer(each, token, now)) if token else None
    who, scopes = found or (None, frozenset())
    if not isinstance(who, Identity) or "openid" not in scopes:
        if token:
            log_refusal("token_refused", path=request.path)
        answer = json_response({"error": "invalid_token"}, 401)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="ates", error="invalid_token"'
        return answer
    return json_response(claims_of(who, scopes))


@blueprint.get("/oauth/logout")
@allow("anyone")
def get_logout() -> Response:
    """Sign out everywhere, and go back to the client that asked.

    Only an ID token of ours says that it was a client of ours that asked; without one, or with
    another person's, the page asks first.
    """
    session = living_session()
    try:
        asked = provider().validate_endpoint_request("end_session")
    except (OAuth2Error, ValueError):
        asked = None
    claims = (asked.id_token_claims if asked and asked.client else None) or {}
    is_ours = claims.get("iss") == issuer()
    if session is not None:
        if not is_ours or claims.get("sub") != str(session.identity.employee_id):
            return Response(render_template("logout.html", who=session.identity))
        _end(session)
    location = asked.redirect_uri if is_ours else None
    answer = Response(status=303, headers={"Location": location or "/login?signed_out=1"})
    session_routes.clear_cookie(answer)
    return answer


def _end(session: LivingSession) -> None:
    who = session.identity.employee_id
    in_transaction(
        tracker().engine, lambda each: end_session(each, employee_id=who, handle=session.handle)
    )
    log_security("signed_out", actor=who, employee_id=who, by="client")


def _is_too_old(session: LivingSession) -> bool:
    """Whether the client wants a fresher sign-in than this one."""
    allowed_seconds = request.args.get("max_age", type=int)
    if allowed_seconds is None:
        return False
    age = tracker().clock() - session.created_at
    return age.total_seconds() > allowed_seconds


def _by_way_of_login() -> Response:
    """Sign in first; the request goes on afterwards, without what asked for a fresh sign-in."""
    kept = {name: value for name, value in request.args.items() if name not in _FRESHNESS}
    following = urlencode({"next": f"{request.path}?{urlencode(kept)}"})
    return Response(status=303, headers={"Location": f"/login?{following}"})


_FRESHNESS = frozenset({"prompt", "max_age"})


def _back_with(error: OAuth2Error) -> Response:
    """Tell the client, whose address has been checked, what was wrong with its request."""
    error.redirect_uri = request.args["redirect_uri"]
    error.state = request.args.get("state")
    log_refusal("sign_in_request_refused", client=request.args["client_id"], error=error.error)
    return _named(provider().handle_error_response(None, error))


def _named(answer: Response) -> Response:
    """With the issuer in the address (RFC 9207), so that a client cannot take us for another."""
    _Issuer().add_issuer_parameter(None, answer)
    return answer


class _Issuer(IssuerParameter):
    def get_issuer(self) -> str:
        return issuer()
