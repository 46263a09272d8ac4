"""Redeeming codes: once, by their client, with its secret and the verifier."""

from urllib.parse import urlencode

import pytest
from flask import Flask

from ops_api.auth.rules import CODE_LIFETIME
from tests.ops_api.conftest import World
from tests.ops_api.http import Client
from tests.ops_api.relying_party import (
    DAGSTER_REDIRECT_URI,
    REDIRECT_URI,
    RelyingParty,
)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": "x" * 64}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": f"{REDIRECT_URI}/"}, "invalid_grant"),
        ({"code": "x" * 48}, "invalid_grant"),
        ({"code": ""}, "invalid_grant"),
        ({"code": "\0"}, "invalid_grant"),
        ({"code": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "unsupported_grant_type"),
        ({"grant_type": "implicit"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_redemption_gets_no_token(
    world: World, party: RelyingParty, browser: Client, changes: dict[str, str], error: str
) -> None:
    answer = party.redeem(party.code(browser), **changes)

    assert (answer.status_code, answer.get_json()["error"]) == (400, error)
    assert world.one("select count(*) from access_tokens") == 0
    assert world.one("select count(*) from security_events where event = 'client_refused'") == 1


def test_a_failed_redemption_uses_the_code_up(party: RelyingParty, browser: Client) -> None:
    code = party.code(browser)
    party.redeem(code, code_verifier="x" * 64)

    assert party.redeem(code).get_json()["error"] == "invalid_grant"


def test_a_code_is_good_for_a_minute(world: World, party: RelyingParty, browser: Client) -> None:
    code = party.code(browser)
    world.clock.now += CODE_LIFETIME

    assert party.redeem(code).get_json()["error"] == "invalid_grant"


def test_a_replayed_code_ends_the_tokens_that_it_brought(
    world: World, party: RelyingParty, browser: Client
) -> None:
    code, other = party.code(browser), party.tokens(browser)["access_token"]
    token = party.redeem(code).get_json()["access_token"]
    assert party.userinfo(token).status_code == 200

    world.clock.forward(hours=1)
    assert party.redeem(code).get_json()["error"] == "invalid_grant"

    assert party.userinfo(token).status_code == 401
    assert party.userinfo(other).status_code == 200
    assert world.one("select max(detail) from security_events where event = 'code_replayed'") == (
        "count_tokens=1"
    )


def test_a_code_belongs_to_one_client(app: Flask, party: RelyingParty, browser: Client) -> None:
    dagster = RelyingParty(app, "dagster", DAGSTER_REDIRECT_URI, party.verifier)
    code = party.code(browser)

    stolen = dagster.redeem(code, redirect_uri=REDIRECT_URI)

    assert stolen.get_json()["error"] == "invalid_grant"
    assert party.redeem(code).status_code == 200


@pytest.mark.parametrize(
    "auth",
    [("dashboards", "wrong"), ("dashboards", ""), ("dashboards", "ü"), ("nobody", "x" * 24),
     ("dagster", "secret-of-the-dashboards"), ("", "")],
)  # fmt: skip
def test_a_client_must_know_its_secret(
    party: RelyingParty, browser: Client, auth: tuple[str, str]
) -> None:
    answer = party.redeem(party.code(browser), auth=auth)

    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_secret_among_the_fields_or_in_the_address_is_none(
    app: Flask, party: RelyingParty, browser: Client
) -> None:
    fields = {
        "grant_type": "authorization_code",
        "code": party.code(browser),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": party.verifier,
        "client_id": "dashboards",
        "client_secret": party.secret,
    }
    client, basic = app.test_client(), ("dashboards", party.secret)

    assert client.post("/oauth/token", data=fields).status_code == 401
    assert client.post(f"/oauth/token?{urlencode(fields)}", auth=basic).status_code == 400
    twice = [*fields.items(), ("code", "x")]
    body = client.post(
        "/oauth/token",
        data=urlencode(twice),
        content_type="application/x-www-form-urlencoded",
        auth=basic,
    )
    assert body.get_json()["error"] == "invalid_request"
    assert client.get("/oauth/token").status_code == 405
