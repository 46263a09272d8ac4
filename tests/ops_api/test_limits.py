"""Limits, host names and proxies: what is refused before anybody looks at it."""

import logging

import pytest
from flask import Flask, request
from msgspec.structs import replace

from ates.settings import Settings
from contracts.environment import SettingsError
from ops_api.app import create_app
from ops_api.settings import TrackerSettings
from ops_api.web.requests import JSON_DEPTH_MAX, QUERY_PARAMETERS_MAX
from ops_api.web.rights import allow
from tests.ops_api.conftest import World
from tests.ops_api.http import HTML, Client, nobody, service, signed_in, slug

TASKS = "/api/v1/tasks"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
@pytest.mark.parametrize("path", ["/login", "/api/v1/me", "/none", "/static/0/ates.css"])
def test_under_a_stranger_s_name_nothing_is_served(app: Flask, host: str, path: str) -> None:
    response = nobody(app).get(path, Host=host or "evil example", Accept=HTML)

    assert response.status_code == 400
    assert "Content-Security-Policy" in response.headers
    assert host not in response.text or not host


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_loopback_s_names_are_ours(app: Flask, host: str) -> None:
    assert nobody(app).get("/health", Host=host).status_code == 200


def test_further_names_are_named_in_a_setting(settings: TrackerSettings, world: World) -> None:
    named = replace(
        settings,
        tracker_url="https://tasks.example",
        tracker_trusted_hosts="tracker, Tasks.Intern",
    )
    client = nobody(create_app(named, world.engine, world.clock, world.rng))

    statuses = {host: client.get("/health", Host=host).status_code
                for host in ("tasks.example", "tracker:8000", "tasks.intern", "other")}  # fmt: skip

    assert statuses == {
        "tasks.example": 200, "tracker:8000": 200, "tasks.intern": 200, "other": 400
    }  # fmt: skip


@pytest.mark.parametrize(
    ("peer", "seen"),
    [("10.1.2.3", "203.0.113.9"), ("192.0.2.7", "203.0.113.9"), ("10.2.0.1", "10.2.0.1"),
     ("127.0.0.1", "127.0.0.1")],
)  # fmt: skip
def test_a_proxy_s_headers_are_believed_from_our_proxies_alone(
    settings: TrackerSettings, world: World, peer: str, seen: str
) -> None:
    behind = replace(settings, tracker_proxies="10.1.0.0/16, 192.0.2.7")
    app = create_app(behind, world.engine, world.clock, world.rng)
    app.add_url_rule("/address", view_func=allow("anyone")(lambda: request.remote_addr or ""))

    response = app.test_client().get(
        "/address",
        headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"},
        environ_base={"REMOTE_ADDR": peer},
    )

    assert response.text == seen


def test_a_proxy_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="TRACKER_PROXIES"):
        Settings({"TRACKER_PROXIES": "nginx"})


@pytest.mark.parametrize("path", ["/", "/login", TASKS, "/health", "/static/0/ates.css"])
def test_a_query_of_many_parameters_is_refused(app: Flask, world: World, path: str) -> None:
    client = signed_in(app, world)
    query = "&".join(f"p{number}=1" for number in range(QUERY_PARAMETERS_MAX + 1))

    assert client.get(f"{path}?{query}").status_code == 400


def test_a_parameter_given_twice_is_refused(app: Flask, world: World) -> None:
    response = signed_in(app, world).get(f"{TASKS}?status=open&status=done")

    assert (response.status_code, slug(response)) == (400, "malformed-query")


@pytest.mark.parametrize("is_array", [True, False])
def test_json_has_a_depth_beyond_which_it_is_not_read(
    app: Flask, world: World, is_array: bool
) -> None:
    client = signed_in(app, world)

    def nested(levels: int) -> str:
        body = ("[" if is_array else '{"a":') * levels
        return body + "1" + ("]" if is_array else "}") * levels

    answers = {
        levels: client.http.post(
            TASKS, data=nested(levels), content_type="application/json",
            headers={"Idempotency-Key": "k"},
        ).status_code
        for levels in (JSON_DEPTH_MAX, JSON_DEPTH_MAX + 1)
    }  # fmt: skip

    assert answers == {JSON_DEPTH_MAX: 422, JSON_DEPTH_MAX + 1: 400}


def test_what_cannot_be_read_is_on_record_without_what_it_said(
    app: Flask, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ates.security")
    client = signed_in(app, world)
    client.send(TASKS, {"title": "x", "fee_cents": 1, "secret": "hush"})
    client.http.set_cookie("ates_session", "x" * 43)
    client.get("/api/v1/me")
    nobody(app).get("/login", Host="evil.example")

    lines = [record.getMessage().split()[0] for record in caplog.records]
    assert lines == [
        "event=input_refused",
        "event=session_refused",
        "event=unknown_host_refused",
        "event=input_refused",
    ]
    assert "hush" not in caplog.text
    assert world.one("select count(*) from security_events") == len(lines)


def test_a_read_that_is_known_already_is_answered_without_a_body(app: Flask, world: World) -> None:
    client = signed_in(app, world)
    first = client.get(TASKS)
    again = client.get(TASKS, **{"If-None-Match": first.headers["ETag"]})
    client.send(TASKS, {"title": "x"})
    changed = client.get(TASKS, **{"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "no-store"
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_whoever_is_unknown_is_told_how_to_become_known(app: Flask) -> None:
    assert nobody(app).get(TASKS).headers["WWW-Authenticate"] == 'Bearer realm="ates"'
    wrong = service(app, "wrong").get(TASKS).headers["WWW-Authenticate"]
    assert wrong == 'Bearer realm="ates", error="invalid_token"'


def test_on_https_the_cookie_is_bound_to_the_host(settings: TrackerSettings, world: World) -> None:
    secure = replace(settings, tracker_url="https://localhost")
    app = create_app(secure, world.engine, world.clock, world.rng)
    on_http = Client(app.test_client())
    on_http.http.set_cookie("ates_session", "x" * 43)

    response = on_http.get("/api/v1/me")

    assert response.status_code == 401
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert world.one("select count(*) from security_events") == 0  # no session was sent at all
