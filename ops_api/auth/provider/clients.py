"""Who may send people here to sign in, and which services may ask for tokens: from the settings.

The methods are those that Authlib asks of a client.
"""

import hmac
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from contracts.environment import SettingsError
from ops_api.settings import TrackerSettings
from ops_api.web import rights

IDENTITY_SCOPES = ("openid", "profile", "email")
API_SCOPES = tuple(scope for scope in rights.SCOPES if scope not in IDENTITY_SCOPES)
SCOPES = IDENTITY_SCOPES + API_SCOPES
METRICS = "metrics:read"
SERVICE_SCOPES = ("days:close", METRICS)
SECRET_LENGTH_MIN = 16

CODE, CREDENTIALS = "authorization_code", "client_credentials"
BASIC = "client_secret_basic"


class OidcClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One confidential client. With redirect URIs people sign in through it, without it is a
    service that gets tokens for itself; never both.
    """

    client_id: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{1,39}$")]
    client_secret: Annotated[str, Meta(min_length=SECRET_LENGTH_MIN)]
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...]

    @property
    def grant(self) -> str:
        """The one grant it may use."""
        return CODE if self.redirect_uris else CREDENTIALS

    @property
    def client_metadata(self) -> dict[str, list[str]]:
        """What Authlib's logout wants to know."""
        return {"post_logout_redirect_uris": list(self.post_logout_redirect_uris)}

    def get_client_id(self) -> str:
        """Its name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """There is none: each request names its own, in full."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scope as asked for; None (a refusal) for one that is not wholly its own.

        Signing in is always OpenID; a service that asks for nothing in particular gets all it may.
        """
        asked = (scope or "").split()
        if self.grant == CREDENTIALS and not asked:
            return " ".join(self.scopes)
        is_fit = set(asked) <= set(self.scopes) and (self.grant == CREDENTIALS or "openid" in asked)
        return " ".join(sorted(set(asked), key=self.scopes.index)) if is_fit else None

    def check_redirect_uri(self, uri: str) -> bool:
        """Exactly as registered, character by character."""
        return uri in self.redirect_uris

    def check_client_secret(self, secret: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(self.client_secret.encode(), secret.encode("utf-8", "replace"))

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """The secret comes in the header, never among the fields of a form."""
        return method == BASIC

    def check_response_type(self, response_type: str) -> bool:
        """Codes only."""
        return self.grant == CODE and response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Its one grant."""
        return grant_type == self.grant


def clients_of(settings: TrackerSettings) -> dict[str, OidcClient]:
    """Every client by its name; raises SettingsError for one that makes no sense."""
    dashboards, dagster = settings.dashboards_url.rstrip("/"), settings.dagster_url.rstrip("/")
    callback = f"{dashboards}/oauth2callback"
    ours = [
        OidcClient(
            client_id="dashboards",
            client_secret=settings.oidc_dashboards_secret,
            redirect_uris=(callback,),
            post_logout_redirect_uris=(callback,),  # what st.logout sends
            scopes=IDENTITY_SCOPES,
        ),
        OidcClient(
            client_id="dagster",
            client_secret=settings.oidc_dagster_secret,
            redirect_uris=(f"{dagster}/auth/callback",),
            post_logout_redirect_uris=(f"{dagster}/",),
            scopes=IDENTITY_SCOPES,
        ),
        OidcClient(
            client_id="pipelines",
            client_secret=settings.oidc_pipelines_secret,
            scopes=SERVICE_SCOPES,
        ),
    ]
    clients: dict[str, OidcClient] = {}
    for client in (*ours, *_more(settings.oidc_clients)):
        _check(client)
        if clients.setdefault(client.client_id, client) is not client:
            raise SettingsError(f"OIDC_CLIENTS: {client.client_id} is there twice")
    return clients


def origins_of(clients: dict[str, OidcClient]) -> tuple[str, ...]:
    """Where browsers may be sent after a form of ours: the clients' origins."""
    uris = {
        uri
        for client in clients.values()
        for uri in (*client.redirect_uris, *client.post_logout_redirect_uris)
    }
    parts = [urlsplit(uri) for uri in sorted(uris)]
    return tuple(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


def _more(listed: str) -> list[OidcClient]:
    try:
        return msgspec.json.decode(listed or "[]", type=list[OidcClient])
    except msgspec.DecodeError as error:
        raise SettingsError(f"OIDC_CLIENTS must be a JSON list of clients: {error}") from error


def _check(client: OidcClient) -> None:
    name = client.client_id
    if not client.scopes or not set(client.scopes) <= set(SCOPES):
        raise SettingsError(f"OIDC_CLIENTS: scopes of {name} must be among {', '.join(SCOPES)}")
    is_for_people = client.grant == CODE
    if is_for_people != ("openid" in client.scopes):
        raise SettingsError(f"OIDC_CLIENTS: {name} needs redirect_uris and openid, or neither")
    if not is_for_people and not set(client.scopes) <= set(SERVICE_SCOPES):
        raise SettingsError(f"OIDC_CLIENTS: {name} may have {' and '.join(SERVICE_SCOPES)} alone")
    for uri in (*client.redirect_uris, *client.post_logout_redirect_uris):
        parts = urlsplit(uri)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.fragment:
            raise SettingsError(f"OIDC_CLIENTS: {uri} of {name} is no http address")
