"""The OpenID provider: what it gives to whom, and everything that it refuses."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask

from ops_api.auth.rules import TOKEN_LIFETIME
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, signed_in
from tests.ops_api.relying_party import (
    DAGSTER_REDIRECT_URI,
    ISSUER,
    REDIRECT_URI,
    RelyingParty,
    returned,
)


def test_a_sign_in_tells_the_client_who_it_is(
    world: World, party: RelyingParty, browser: Client
) -> None:
    employee = browser.employee
    assert employee is not None
    back = returned(party.authorize(browser, nonce="a-nonce"))
    answer = party.redeem(back["code"])

    assert (back["state"], back["iss"]) == ("a-state", ISSUER)
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.get_json()
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == TOKEN_LIFETIME.total_seconds()
    assert "refresh_token" not in tokens
    claims = party.claims(tokens["id_token"])
    who = {
        "sub": str(employee.employee_id),
        "role": "accountant",
        "name": employee.name,
        "email": employee.email,
    }
    assert who.items() <= claims.items()
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, "dashboards", "a-nonce")
    assert claims["iat"] == world.clock().timestamp()
    assert claims["exp"] == claims["iat"] + TOKEN_LIFETIME.total_seconds()
    assert party.userinfo(tokens["access_token"]).get_json() == who


def test_claims_go_by_the_scope(party: RelyingParty, browser: Client) -> None:
    tokens = party.tokens(browser, scope="openid")

    assert browser.employee is not None
    only_id = {"sub": str(browser.employee.employee_id)}
    assert party.userinfo(tokens["access_token"]).get_json() == only_id
    assert "role" not in party.claims(tokens["id_token"])


def test_discovery_tells_the_truth(app: Flask, party: RelyingParty, browser: Client) -> None:
    found = nobody(app).get("/.well-known/openid-configuration").get_json()

    assert found["issuer"] == ISSUER
    for name, address in found.items():
        if name.endswith(("_endpoint", "_uri")):
            path = address.removeprefix(ISSUER)
            assert nobody(app).get(path).status_code in {200, 303, 400, 401, 405}, name
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]
    assert "refresh_token" not in found["grant_types_supported"]
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]


def test_no_published_key_has_private_parts(app: Flask) -> None:
    for key in nobody(app).get("/oauth/jwks").get_json()["keys"]:
        assert key.keys() == {"kty", "n", "e", "use", "alg", "kid"}


def test_who_is_not_signed_in_does_so_first_and_goes_on(
    app: Flask, party: RelyingParty, world: World
) -> None:
    response = party.authorize(nobody(app), prompt="select_account", max_age="60")

    assert response.status_code == 303
    parts = urlsplit(response.location or "")
    target = parse_qs(parts.query)["next"][0]
    assert parts.path == "/login"
    assert target.startswith("/oauth/authorize?")
    assert "prompt" not in target
    page = nobody(app).page(response.location or "")
    assert target.replace("&", "&amp;") in page.text
    allowed = page.headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:3000 http://127.0.0.1:8501;" in allowed
    assert returned(signed_in(app, world).page(target))["state"] == "a-state"


def test_a_client_may_ask_without_a_page_or_for_a_fresh_sign_in(
    app: Flask, world: World, party: RelyingParty, browser: Client
) -> None:
    silent = returned(party.authorize(nobody(app), prompt="none"))
    assert (silent["error"], silent["state"]) == ("login_required", "a-state")
    assert "code" in returned(party.authorize(browser, prompt="none"))
    assert party.authorize(browser, prompt="login").status_code == 303
    world.clock.forward(minutes=2)
    assert party.authorize(browser, max_age="60").status_code == 303
    assert "code" in returned(party.authorize(browser, max_age="600"))


NEAR_MISSES = (
    "", "/", "http://127.0.0.1:8501", "http://127.0.0.1:8501/", f"{REDIRECT_URI}/",
    f"{REDIRECT_URI}?", f"{REDIRECT_URI}?x=1", f"{REDIRECT_URI}#", f"{REDIRECT_URI}#x",
    f" {REDIRECT_URI}", f"{REDIRECT_URI} ", f"{REDIRECT_URI}%20", f"{REDIRECT_URI}%0a",
    f"{REDIRECT_URI}/../evil", f"{REDIRECT_URI};x", f"{REDIRECT_URI}\n", f"{REDIRECT_URI}\0",
    REDIRECT_URI.upper(), REDIRECT_URI.replace("oauth2", "OAuth2"),
    REDIRECT_URI.replace("http://", "https://"), REDIRECT_URI.replace("http://", "HTTP://"),
    REDIRECT_URI.replace("http://", "//"), REDIRECT_URI.replace("http:", "javascript:"),
    REDIRECT_URI.replace("8501", "8502"), REDIRECT_URI.replace(":8501", ""),
    REDIRECT_URI.replace("127.0.0.1", "localhost"), REDIRECT_URI.replace("127.0.0.1", "127.1"),
    REDIRECT_URI.replace("127.0.0.1", "127.0.0.1.evil.example"),
    REDIRECT_URI.replace("127.0.0.1:8501", "127.0.0.1:8501@evil.example"),
    REDIRECT_URI.replace("127.0.0.1:8501", "evil.example/127.0.0.1:8501"),
    REDIRECT_URI.replace("/oauth2", "//oauth2"), REDIRECT_URI.replace("/oauth2", "/%6fauth2"),
    REDIRECT_URI.replace("http://", "http:/\\"), "http://evil.example/oauth2callback",
    DAGSTER_REDIRECT_URI, "ünïcode://\u202e",
)  # fmt: skip


@pytest.mark.parametrize("uri", NEAR_MISSES)
def test_nobody_is_sent_to_an_address_that_is_not_exactly_registered(
    party: RelyingParty, browser: Client, uri: str
) -> None:
    response = party.authorize(browser, redirect_uri=uri)

    assert (response.status_code, response.mimetype) == (400, "text/html")
    assert response.location is None


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "nobody"}, {"client_id": None}, {"client_id": "pipelines"}, {"client_id": ""},
     {"redirect_uri": None}],
)  # fmt: skip
def test_an_unknown_client_gets_nobody_sent_anywhere(
    party: RelyingParty, browser: Client, changes: dict[str, str | None]
) -> None:
    assert party.authorize(browser, **changes).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"nonce": "n" * 201}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"scope": "openid tasks:write"}, "invalid_scope"),
        ({"scope": "openid days:close"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "code\u00e9\n"}, "invalid_request"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/x"}, "request_uri_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"scope": "openid\r\nSet-Cookie: x"}, "invalid_request"),
        ({"state": "s" * 1001}, "invalid_request"),
    ],
)
def test_a_weak_or_odd_request_goes_back_as_an_error(
    world: World, party: RelyingParty, browser: Client, changes: dict[str, str], error: str
) -> None:
    back = returned(party.authorize(browser, **changes))

    assert back["error"] == error
    assert "code" not in back
    assert back["iss"] == ISSUER
    assert world.one("select count(*) from authorization_codes") == 0
    assert world.one("select max(event) from security_events") == "sign_in_request_refused"


@pytest.mark.parametrize("name", ["scope", "state", "nonce", "code_challenge", "prompt"])
def test_a_parameter_that_comes_twice_is_refused(
    party: RelyingParty, browser: Client, name: str
) -> None:
    pairs = [*party.request(prompt="none").items()]
    pairs.append((name, dict(pairs)[name]))

    response = browser.page(f"/oauth/authorize?{urlencode(pairs)}")

    assert returned(response)["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_an_address_that_comes_twice_leads_nowhere(
    party: RelyingParty, browser: Client, name: str
) -> None:
    pairs = [*party.request().items(), (name, "http://evil.example")]

    assert browser.page(f"/oauth/authorize?{urlencode(pairs)}").status_code == 400


def test_a_nonce_counts_once(party: RelyingParty, browser: Client) -> None:
    party.code(browser, nonce="again")

    assert returned(party.authorize(browser, nonce="again"))["error"] == "invalid_request"
