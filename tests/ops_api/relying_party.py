"""A client of the provider as the dashboards are one: sends a browser, gets a code, redeems it."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from ops_api.settings import TrackerSettings
from tests.ops_api.http import HTML, Client
from tests.trackers import DAGSTER_URL, DASHBOARDS_URL

REDIRECT_URI = f"{DASHBOARDS_URL}/oauth2callback"
DAGSTER_REDIRECT_URI = f"{DAGSTER_URL}/auth/callback"
ISSUER = "http://localhost"


def s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass
class RelyingParty:
    """One client at the provider of one application."""

    app: Flask
    client_id: str = "dashboards"
    redirect_uri: str = REDIRECT_URI
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def settings(self) -> TrackerSettings:
        found = self.app.extensions["tracker"].settings
        assert isinstance(found, TrackerSettings)
        return found

    @property
    def secret(self) -> str:
        return str(getattr(self.settings, f"oidc_{self.client_id}_secret"))

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        whole: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile email",
            "state": "a-state",
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (whole | changes).items() if value is not None}

    def authorize(self, browser: Client, **changes: str | None) -> TestResponse:
        return browser.page(f"/oauth/authorize?{urlencode(self.request(**changes))}")

    def code(self, browser: Client, **changes: str | None) -> str:
        return returned(self.authorize(browser, **changes))["code"]

    def redeem(
        self, code: str, /, *, auth: tuple[str, str] | None = None, **changes: str | None
    ) -> TestResponse:
        whole: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        form = {name: value for name, value in (whole | changes).items() if value is not None}
        return self.app.test_client().post(
            "/oauth/token", data=form, auth=auth or (self.client_id, self.secret)
        )

    def tokens(self, browser: Client, **changes: str | None) -> dict[str, Any]:
        """What a whole sign-in brings."""
        answer = self.redeem(self.code(browser, **changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def userinfo(self, token: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return self.app.test_client().get("/oauth/userinfo", headers=headers)

    def claims(self, id_token: str) -> dict[str, Any]:
        """The ID token's claims, checked against the published keys."""
        keys = KeySet.import_key_set(self.app.test_client().get("/oauth/jwks").get_json())
        return dict(jwt.decode(id_token, keys, algorithms=["RS256"]).claims)


def returned(response: TestResponse) -> dict[str, str]:
    """What the browser was sent back to the dashboards with."""
    assert response.status_code == 302, response.text
    parts = urlsplit(response.location or "")
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == REDIRECT_URI
    assert parts.fragment == ""
    return {name: values[0] for name, values in parse_qs(parts.query).items()}


def accepts_html() -> dict[str, str]:
    return {"Accept": HTML}
