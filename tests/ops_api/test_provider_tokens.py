"""Access tokens: what they open, and that they die with their session."""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from ops_api.auth.commands import end_sessions_of
from ops_api.auth.rules import SERVICE_TOKEN_LIFETIME, SESSION_IDLE, TOKEN_LIFETIME
from ops_api.employees.commands import Changes, change_employee
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, service, service_token, slug
from tests.ops_api.relying_party import (
    DAGSTER_REDIRECT_URI,
    RelyingParty,
)


def test_a_token_dies_with_its_session(world: World, party: RelyingParty, browser: Client) -> None:
    token = party.tokens(browser)["access_token"]
    assert party.userinfo(token).status_code == 200

    browser.submit("/logout", browser.form(browser.page("/"), "/logout"))

    refused = party.userinfo(token)
    assert (refused.status_code, refused.get_json()) == (401, {"error": "invalid_token"})
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert world.one("select count(*) from access_tokens") == 0


@pytest.mark.parametrize("changes", [{"is_active": False}, {"role": "worker"}])
def test_a_token_dies_when_its_owner_leaves_or_changes_role(
    world: World, party: RelyingParty, browser: Client, changes: dict[str, object]
) -> None:
    assert browser.employee is not None
    world.employee()  # somebody to hand over to
    code, token = party.code(browser), party.tokens(browser)["access_token"]

    world.run(
        change_employee,
        employee_id=browser.employee.employee_id,
        changes=Changes(**changes),  # type: ignore[arg-type]
    )

    assert party.userinfo(token).status_code == 401
    assert party.redeem(code).get_json()["error"] == "invalid_grant"


def test_a_token_tells_what_is_true_now(world: World, party: RelyingParty, browser: Client) -> None:
    assert browser.employee is not None
    token = party.tokens(browser)["access_token"]
    changes = Changes(name="Polly Renamed", email="renamed@example.com")
    world.run(change_employee, employee_id=browser.employee.employee_id, changes=changes)

    found = party.userinfo(token).get_json()

    assert (found["name"], found["email"]) == ("Polly Renamed", "renamed@example.com")


def test_a_token_ends_by_time_and_keeps_its_session_awake(
    world: World, party: RelyingParty, browser: Client
) -> None:
    token, step = party.tokens(browser)["access_token"], SESSION_IDLE - dt.timedelta(minutes=1)
    world.clock.now += step
    assert party.userinfo(token).status_code == 200
    world.clock.now += step
    assert party.userinfo(token).status_code == 200
    assert browser.get("/api/v1/me").status_code == 200

    world.clock.now += TOKEN_LIFETIME - 2 * step
    assert party.userinfo(token).status_code == 401
    assert browser.get("/api/v1/me").status_code == 200


def test_a_token_of_an_idle_session_is_dead(
    world: World, party: RelyingParty, browser: Client
) -> None:
    token = party.tokens(browser)["access_token"]
    world.clock.now += SESSION_IDLE

    assert party.userinfo(token).status_code == 401


def test_the_database_holds_neither_code_nor_token(
    world: World, party: RelyingParty, browser: Client
) -> None:
    code = party.code(browser)
    token = party.redeem(code).get_json()["access_token"]

    rows = [
        str(world.one(f"select string_agg({table}::text, ' ') from {table}"))
        for table in ("authorization_codes", "access_tokens", "security_events")
    ]

    assert all(rows)
    assert not [row for row in rows if code in row or token in row or party.secret in row]


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "ü", "a b"])
def test_a_made_up_token_is_worth_nothing(party: RelyingParty, token: str) -> None:
    assert party.userinfo(token).status_code == 401


def test_other_tokens_are_not_taken_for_an_access_token(
    app: Flask, party: RelyingParty, browser: Client
) -> None:
    tokens = party.tokens(browser)

    assert party.userinfo(tokens["id_token"]).status_code == 401
    assert party.userinfo(service_token(app)).status_code == 401
    assert (
        nobody(app).get(f"/oauth/userinfo?access_token={tokens['access_token']}").status_code == 401
    )
    assert slug(service(app, tokens["id_token"]).get("/api/v1/me")) == "not-signed-in"


def test_a_token_of_the_dashboards_opens_nothing_of_the_api(
    app: Flask, party: RelyingParty, browser: Client
) -> None:
    client = service(app, party.tokens(browser)["access_token"])

    assert slug(client.get("/api/v1/tasks")) == "insufficient-scope"
    assert slug(client.send("/api/v1/tasks", {"title": "x"})) == "insufficient-scope"
    assert client.get("/api/v1/me").status_code == 200
    assert client.page("/").status_code == 403  # pages are for sessions


def test_a_service_gets_a_token_for_what_it_may(app: Flask, world: World) -> None:
    token = service_token(app)

    assert service(app, token).send("/api/v1/business-days/close-due").status_code == 200
    assert slug(service(app, token).get("/api/v1/tasks")) == "not-allowed"
    world.clock.now += SERVICE_TOKEN_LIFETIME
    refused = service(app, token).send("/api/v1/business-days/close-due")
    assert slug(refused) == "not-signed-in"
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="ates", error="invalid_token"'


@pytest.mark.parametrize(
    ("client_id", "scope", "error"),
    [("pipelines", "tasks:write", "invalid_scope"), ("pipelines", "openid", "invalid_scope"),
     ("pipelines", "days:close openid", "invalid_scope"),
     ("dashboards", "days:close", "unauthorized_client")],
)  # fmt: skip
def test_a_service_gets_nothing_else(app: Flask, client_id: str, scope: str, error: str) -> None:
    party = RelyingParty(app, client_id)
    answer = app.test_client().post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "scope": scope},
        auth=(client_id, party.secret),
    )

    assert answer.get_json()["error"] == error


def test_ending_all_sessions_ends_all_tokens(
    app: Flask, world: World, party: RelyingParty, browser: Client
) -> None:
    assert browser.employee is not None
    dagster = RelyingParty(app, "dagster", DAGSTER_REDIRECT_URI)
    location = dagster.authorize(browser).location or ""
    code = parse_qs(urlsplit(location).query)["code"][0]
    tokens = [
        party.tokens(browser)["access_token"],
        dagster.redeem(code).get_json()["access_token"],
    ]

    with world.engine.begin() as connection:
        end_sessions_of(connection, employee_id=browser.employee.employee_id)

    assert [party.userinfo(token).status_code for token in tokens] == [401, 401]
