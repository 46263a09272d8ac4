"""The tracker as OpenID provider: sending people there, taking them back, asking who they are.

Browsers are sent to the addresses that the provider publishes; we ask it under `tracker_url`, which
inside a network of containers is another one.
"""

import time
from typing import Any, TypeVar

import httpx2
import msgspec
from authlib.integrations.starlette_client import OAuth, OAuthError, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from pipelines.gateway.rules import Person
from pipelines.gateway.sessions import Arrival, Session
from pipelines.gateway.settings import GatewaySettings

CLIENT_ID = "dagster"
CALLBACK = "/auth/callback"
ANSWER_SECONDS_MAX = 5.0
# A role taken away, or a sign-out elsewhere, goes unnoticed for so long...
PERSON_SECONDS = 3.0
# ...and the last answer stands in for so long for a provider that does not answer.
SILENCE_SECONDS_MAX = 60.0
METADATA_SECONDS = 600.0


class ProviderSilentError(Exception):
    """The provider does not answer, so nobody's rights are known."""


class SignInRefusedError(Exception):
    """The provider, or our check of what it said, refused; the message says why."""


class _Metadata(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str


class Provider:
    """One for the process; all methods raise ProviderSilentError."""

    def __init__(self, settings: GatewaySettings, http: httpx2.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._metadata: _Metadata | None = None
        self._client: StarletteOAuth2App | None = None
        self._known_until = 0.0

    async def send(self, request: Request, arrival: Arrival) -> Response:
        """Send the browser to the provider; what must come back with it is kept in `arrival`."""
        await self._get_to_know()
        assert self._client is not None
        request.scope["session"] = arrival.oauth
        callback = self._settings.dagster_url.rstrip("/") + CALLBACK
        response: Response = await self._client.authorize_redirect(request, callback)
        return response

    async def take_back(self, request: Request, arrival: Arrival) -> Session:
        """Redeem the code that the browser brought; raises SignInRefusedError."""
        await self._get_to_know()
        assert self._client is not None
        assert self._metadata is not None
        if request.query_params.get("iss") != self._metadata.issuer:
            raise SignInRefusedError("the answer comes from another provider")
        request.scope["session"] = arrival.oauth
        try:
            token = await self._client.authorize_access_token(request)
        except httpx2.HTTPError as error:
            raise ProviderSilentError(str(error)) from error
        except (OAuthError, JoseError) as error:
            raise SignInRefusedError(str(error)) from error
        person = await self._ask(token["access_token"])
        if person is None or person.sub != token["userinfo"]["sub"]:
            raise SignInRefusedError("the tokens are not one person's")
        return Session(token["access_token"], token["id_token"], person)

    async def person_of(self, session: Session) -> Person | None:
        """Who that is now; None when the session at the provider is over."""
        async with session.lock:
            age_seconds = time.monotonic() - session.checked_at
            if age_seconds < PERSON_SECONDS:
                return session.person
            try:
                person = await self._ask(session.access_token)
            except ProviderSilentError:
                if age_seconds < SILENCE_SECONDS_MAX:
                    return session.person
                raise
            if person is not None:
                session.person, session.checked_at = person, time.monotonic()
            return person

    async def farewell(self, session: Session) -> str:
        """Where to send a browser so that it is signed out everywhere."""
        await self._get_to_know()
        assert self._metadata is not None
        values = {
            "id_token_hint": session.id_token,
            "post_logout_redirect_uri": f"{self._settings.dagster_url.rstrip('/')}/",
        }
        return f"{self._metadata.end_session_endpoint}?{httpx2.QueryParams(values)}"

    async def _ask(self, access_token: str) -> Person | None:
        await self._get_to_know()
        assert self._metadata is not None
        answer = await self._get(
            self._within(self._metadata.userinfo_endpoint),
            headers={"Authorization": f"Bearer {access_token}"},
        )
        if answer.status_code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
            return None
        return _decoded(answer, Person)

    async def _get_to_know(self) -> None:
        """Read where the provider's endpoints are, now and then anew."""
        if self._metadata is not None and time.monotonic() < self._known_until:
            return
        tracker = self._settings.tracker_url.rstrip("/")
        answer = await self._get(f"{tracker}/.well-known/openid-configuration")
        metadata = _decoded(answer, _Metadata)
        self._known_until = time.monotonic() + METADATA_SECONDS
        if metadata == self._metadata:
            return
        self._metadata = metadata
        self._client = OAuth().register(
            "tracker",
            client_id=CLIENT_ID,
            client_secret=self._settings.oidc_dagster_secret,
            authorize_url=metadata.authorization_endpoint,
            access_token_url=self._within(metadata.token_endpoint),
            jwks_uri=self._within(metadata.jwks_uri),
            issuer=metadata.issuer,
            id_token_signing_alg_values_supported=["RS256"],
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "timeout": ANSWER_SECONDS_MAX,
                "trust_env": False,
            },
        )

    def _within(self, url: str) -> str:
        """A published address as we reach it ourselves."""
        assert self._metadata is not None
        return self._settings.tracker_url.rstrip("/") + url.removeprefix(
            self._metadata.issuer.rstrip("/")
        )

    async def _get(self, url: str, **options: Any) -> httpx2.Response:
        try:
            return await self._http.get(url, timeout=ANSWER_SECONDS_MAX, **options)
        except httpx2.HTTPError as error:
            raise ProviderSilentError(f"{type(error).__name__}: {error}") from error


S = TypeVar("S")


def _decoded(answer: httpx2.Response, kind: type[S]) -> S:
    if answer.status_code != httpx2.codes.OK:
        raise ProviderSilentError(f"the provider answers {answer.status_code}")
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        raise ProviderSilentError(f"the provider's answer is not readable: {error}") from error
