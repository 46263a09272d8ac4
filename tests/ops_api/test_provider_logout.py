"""Signing out by way of a client, and the keys by which the provider knows its own tokens."""

import base64
import datetime as dt
import hmac
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey

from ops_api.auth.provider.keys import KEPT, KeyRing
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, signed_in
from tests.ops_api.relying_party import ISSUER, REDIRECT_URI, RelyingParty

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def sign_out(client: Client, **parameters: str) -> Any:
    return client.http.get(
        "/oauth/logout", query_string=parameters, headers={"Accept": "text/html"}
    )


def test_a_client_signs_its_user_out_everywhere(party: RelyingParty, browser: Client) -> None:
    tokens = party.tokens(browser)

    response = sign_out(
        browser,
        id_token_hint=tokens["id_token"],
        post_logout_redirect_uri=REDIRECT_URI,
        state="s",
    )

    assert (response.status_code, response.location) == (303, f"{REDIRECT_URI}?state=s")
    assert "ates_session=;" in response.headers["Set-Cookie"]
    assert party.userinfo(tokens["access_token"]).status_code == 401
    assert browser.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "uri", ["http://evil.example/", f"{REDIRECT_URI}/", "http://127.0.0.1:3000/", "//evil.example"]
)
def test_nobody_is_sent_to_a_foreign_address_after_signing_out(
    party: RelyingParty, browser: Client, uri: str
) -> None:
    hint = party.tokens(browser)["id_token"]

    response = sign_out(browser, id_token_hint=hint, post_logout_redirect_uri=uri)

    assert response.location == "/login?signed_out=1"


def test_without_a_hint_the_page_asks_first(party: RelyingParty, browser: Client) -> None:
    token = party.tokens(browser)["access_token"]

    page = sign_out(browser, post_logout_redirect_uri=REDIRECT_URI, client_id="dashboards")

    assert page.status_code == 200
    assert party.userinfo(token).status_code == 200
    browser.submit("/logout", browser.form(page, "/logout"))
    assert party.userinfo(token).status_code == 401


def test_another_persons_hint_signs_nobody_out(
    app: Flask, world: World, party: RelyingParty, browser: Client
) -> None:
    other = signed_in(app, world)

    assert sign_out(other, id_token_hint=party.tokens(browser)["id_token"]).status_code == 200
    assert other.get("/api/v1/me").status_code == 200
    assert browser.get("/api/v1/me").status_code == 200


def part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forgeries(app: Flask, claims: dict[str, Any]) -> list[str]:
    """The claims of a real token under every signature that ours is not."""
    public = nobody(app).get("/oauth/jwks").get_json()["keys"][0]
    kid = public["kid"]
    key = RSAKey.import_key(public)
    stranger = RSAKey.generate_key(2048)
    head = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}"
    mac = hmac.digest(key.as_pem(private=False), head.encode(), "sha256")
    own = {"alg": "RS256", "kid": kid, "jwk": stranger.as_dict(private=False)}
    return [
        f"{part({'alg': 'none'})}.{part(claims)}.",
        f"{part({'alg': 'none', 'kid': kid})}.{part(claims)}.x",
        f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}",
        jwt.encode({"alg": "RS256", "kid": kid}, claims, stranger),
        jwt.encode({"alg": "RS256", "kid": "unknown"}, claims, stranger),
        jwt.encode(own, claims, stranger),
        jwt.encode(own | {"jku": "https://evil.example/jwks"}, claims, stranger),
        "x",
        "a.b.c",
        "\u00fc.\u00fc.\u00fc",
    ]


def test_a_forged_hint_signs_nobody_out(app: Flask, party: RelyingParty, browser: Client) -> None:
    claims = party.claims(party.tokens(browser)["id_token"])

    for forged in forgeries(app, claims):
        answer = sign_out(browser, id_token_hint=forged, post_logout_redirect_uri=REDIRECT_URI)
        assert answer.status_code == 200, forged
        assert browser.get("/api/v1/me").status_code == 200


def test_a_rotation_signs_nobody_out(app: Flask, party: RelyingParty, browser: Client) -> None:
    before = party.tokens(browser)
    ring = KeyRing(party.settings.keys_folder)
    kid = ring.rotate(dt.datetime.now(dt.UTC))

    after = party.tokens(browser)

    assert (
        json.loads(base64.urlsafe_b64decode(after["id_token"].split(".")[0] + "=="))["kid"] == kid
    )
    assert party.claims(before["id_token"])["iss"] == ISSUER
    assert party.userinfo(before["access_token"]).status_code == 200
    assert sign_out(browser, id_token_hint=before["id_token"]).status_code == 303


def test_keys_are_private_files_and_go_when_their_time_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    ring = KeyRing(folder)
    first = ring.rotate(NOW)
    second = ring.rotate(NOW + KEPT)
    assert [kid for kid, _ in ring.ids()] == [first, second]

    third = ring.rotate(NOW + 2 * KEPT)
    assert [kid for kid, _ in ring.ids()] == [first, second, third]
    fourth = ring.rotate(NOW + 2 * KEPT + dt.timedelta(days=1))

    assert [kid for kid, _ in ring.ids()] == [second, third, fourth]
    assert ring.signing_key().kid == fourth
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.json")} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
