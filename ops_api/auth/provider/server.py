"""Authlib's authorization server with our two grants, our stores and our clock.

What Authlib leaves open is closed here: PKCE is required and S256 only, a nonce is required, a code
is used up by its first presentation.
"""

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Flask, Request, current_app, request
from joserfc.jwk import KeySet, RSAKey

from ops_api.auth import tokens
from ops_api.auth.identity import Identity
from ops_api.auth.provider import codes
from ops_api.auth.provider.clients import BASIC, CODE, SCOPES, OidcClient, clients_of
from ops_api.auth.provider.keys import ALGORITHM, KeyRing
from ops_api.auth.rules import SERVICE_TOKEN_LIFETIME, TOKEN_LIFETIME
from ops_api.auth.sessions import LivingSession
from ops_api.employees.queries import find_employee
from ops_api.security_log import log_security
from ops_api.web.state import tracker

EXTENSION = "oidc"


class Provider(AuthorizationServer):
    """The provider of one application: its clients, its keys, its grants."""

    def __init__(self, app: Flask, clients: dict[str, OidcClient], keys: KeyRing) -> None:
        self.clients = clients
        self.keys = keys
        super().__init__(app, query_client=clients.get, save_token=_save_token)
        self.register_grant(CodeGrant, [IdToken(require_nonce=True), S256Only(required=True)])
        self.register_grant(CredentialsGrant)
        self.register_endpoint(EndSession)

    def create_oauth2_request(self, _request: object) -> OAuth2Request:
        """The present request; whether it came by https is between the proxy and TRACKER_URL."""
        return _Request(request)


class _Request(FlaskOAuth2Request):
    def __init__(self, flask_request: Request) -> None:
        # Authlib refuses plain http by name, also the one between a proxy and us.
        secured = "https://" + flask_request.url.partition("://")[2]
        OAuth2Request.__init__(self, flask_request.method, secured, headers=flask_request.headers)
        self._request = flask_request
        self.payload = FlaskOAuth2Payload(flask_request)


class CodeGrant(grants.AuthorizationCodeGrant):
    """Signing in: the browser brings a code back, the client redeems it."""

    TOKEN_ENDPOINT_AUTH_METHODS = (BASIC,)

    def save_authorization_code(self, code: str, asked: OAuth2Request) -> None:
        """Bind the code to session, client, address, nonce and challenge."""
        session: LivingSession = asked.user
        new = codes.NewCode(
            client_id=asked.client.client_id,
            session_hash=session.session_hash,
            redirect_uri=asked.payload.redirect_uri,
            scope=asked.scope,
            nonce=asked.payload.data["nonce"],
            code_challenge=asked.payload.data["code_challenge"],
        )
        now = tracker().clock()
        if not tracker().read(lambda each: codes.keep_code(each, code, new, now=now)):
            raise InvalidRequestError("Replay attack", redirect_uri=new.redirect_uri)

    def query_authorization_code(self, code: str, client: OidcClient) -> codes.RedeemedCode | None:
        """Use the code up; one that was used before is stolen, and its tokens end."""
        name, now = client.client_id, tracker().clock()
        found = tracker().read(lambda each: codes.redeem_code(each, code, name, now=now))
        if found is None and tracker().read(lambda each: codes.is_replay(each, code, name)):
            hashed = tokens.hashed(code)
            count = tracker().read(lambda each: tokens.revoke_tokens(each, hashed))
            log_security("code_replayed", actor=name, count_tokens=count)
        return found

    def delete_authorization_code(self, _code: codes.RedeemedCode) -> None:
        """It was used up already, and stays on record to recognise its replay."""

    def authenticate_user(self, code: codes.RedeemedCode) -> Identity | None:
        """The employee as they are at this moment; a leaver's session is gone with its codes."""
        found = tracker().read(lambda each: find_employee(each, code.employee_id))
        if found is None or not found.is_active:
            return None
        return Identity(
            employee_id=found.employee_id, name=found.name, email=found.email, role=found.role
        )


class CredentialsGrant(grants.ClientCredentialsGrant):
    """A service gets a token for itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = (BASIC,)


class S256Only(CodeChallenge):
    """PKCE for confidential clients, too, and without the method that proves nothing."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    CODE_CHALLENGE_METHODS = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}  # noqa: RUF012 - Authlib's shape

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Refuse a request without challenge, or with another method."""
        data = grant.request.payload.data
        if data.get("code_challenge_method") != "S256" or not data.get("code_challenge"):
            raise InvalidRequestError("PKCE with S256 is required")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):
    """Who signed in, signed by our newest key."""

    def exists_nonce(self, nonce: str, asked: OAuth2Request) -> bool:
        """Whether the client sent it before."""
        name = asked.payload.client_id
        return tracker().read(lambda each: codes.is_nonce_used(each, nonce, name))

    def resolve_client_private_key(self, _client: OidcClient) -> RSAKey:
        """The key that signs now."""
        return provider().keys.signing_key()

    def get_encode_header(self, client: OidcClient) -> dict[str, str | None]:
        """Which key it is."""
        kid = self.resolve_client_private_key(client).kid
        return {"alg": ALGORITHM, "kid": kid, "typ": "JWT"}

    def get_client_claims(self, client: OidcClient) -> dict[str, object]:
        """From whom, for whom, how long."""
        now = int(tracker().clock().timestamp())
        lifetime = int(TOKEN_LIFETIME.total_seconds())
        return {"iss": issuer(), "aud": client.client_id, "iat": now, "exp": now + lifetime}

    def get_authorization_code_claims(self, code: codes.RedeemedCode) -> dict[str, object]:
        """Nonce, moment of the sign-in, and the session that a sign-out is to end."""
        claims: dict[str, object] = super().get_authorization_code_claims(code)
        return claims | {"sid": str(code.handle)}

    def generate_user_info(self, user: Identity, scope: str) -> dict[str, str]:
        """Who it is."""
        return claims_of(user, frozenset(scope.split()))


class EndSession(EndSessionEndpoint):
    """Recognises who asks to sign out; `routes.py` does it."""

    def get_server_jwks(self) -> KeySet:
        """Old keys count, too."""
        return provider().keys.key_set()

    def get_algorithms(self) -> list[str]:
        """Ours alone."""
        return [ALGORITHM]

    def end_session(self, _asked: object) -> None:
        """The route has ended it."""


def provider() -> Provider:
    """The provider of the present request's application."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Provider)
    return found


def install(app: Flask) -> None:
    """Give the application its provider; raises SettingsError for a client that makes no sense."""
    settings = app.extensions["tracker"].settings
    app.config["OAUTH2_SCOPES_SUPPORTED"] = list(SCOPES)
    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = lambda **_: tokens.new_token()
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {
        CODE: int(TOKEN_LIFETIME.total_seconds()),
        "client_credentials": int(SERVICE_TOKEN_LIFETIME.total_seconds()),
    }
    clients = clients_of(settings)
    app.extensions[EXTENSION] = Provider(app, clients, KeyRing(settings.keys_folder))


def issuer() -> str:
    """The provider's name: the address by which browsers know the tracker."""
    return tracker().settings.tracker_url.rstrip("/")


def claims_of(identity: Identity, scopes: frozenset[str]) -> dict[str, str]:
    """What a client with these scopes is told of an employee."""
    claims = {"sub": str(identity.employee_id)}
    if "profile" in scopes:
        claims |= {"name": identity.name, "role": identity.role}
    if "email" in scopes:
        claims["email"] = identity.email
    return claims


def _save_token(token: dict[str, Any], asked: OAuth2Request) -> None:
    code: codes.RedeemedCode | None = asked.authorization_code
    grant = tokens.TokenGrant(
        client_id=asked.client.client_id,
        scope=token["scope"],
        session_hash=code.session_hash if code else None,
        code_hash=code.code_hash if code else None,
    )
    now = tracker().clock()
    tracker().read(lambda each: tokens.keep_token(each, token["access_token"], grant, now=now))
    log_security(
        "token_issued",
        actor=grant.client_id,
        employee_id=code.employee_id if code else None,
        scope=grant.scope,
    )
