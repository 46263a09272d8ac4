"""Headers and limits on every route there is, in every class of answer."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from ops_api.app import create_app
from ops_api.auth.sessions import csrf_token
from ops_api.database import create_engine
from ops_api.settings import TrackerSettings
from ops_api.web.guard import API_PREFIXES, COOKIE
from ops_api.web.requests import BODY_BYTES_MAX, JSON_DEPTH_MAX
from ops_api.web.rights import rule_of
from tests.ops_api.conftest import World
from tests.ops_api.http import HTML, Client, nobody, service, signed_in
from tests.ops_api.test_rights import PLACEHOLDERS, routes
from tests.trackers import tracker_settings

JSON = "application/json"
TOO_LARGE = b"x" * (BODY_BYTES_MAX + 1)
TOO_DEEP = b"[" * (JSON_DEPTH_MAX + 1) + b"]" * (JSON_DEPTH_MAX + 1)
# More than anybody has without a wait.
TRIES = 7
CLASSES = {200, 201, 303, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503}
# The provider speaks in forms, and looks at a token before it looks at anything else.
FORM_CALLS = ("/oauth/",)
TOKEN_FIRST = "POST /oauth/userinfo"

Answers = list[tuple[str, TestResponse]]


def address(rule: str) -> str:
    """The rule's address, with ids that nobody has."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: PLACEHOLDERS.get(found[1], str(uuid4())), rule)


def calls(app: Flask) -> Iterator[tuple[str, str, str]]:
    """`GET /path`, the method, the address, for every route."""
    for name in routes(app):
        method, rule = name.split(" ")
        yield name, method, address(rule)


def unsafe(app: Flask) -> Iterator[tuple[str, str, str]]:
    return (each for each in calls(app) if each[1] != "GET")


def allowed(app: Flask, world: World, name: str) -> Client:
    """Somebody whom the route lets in: an admin, or else the pipelines."""
    is_service_alone = rule_of(routes(app)[name]).rights == {"service"}
    return service(app) if is_service_alone else signed_in(app, world, "admin")


def send(client: Client, method: str, path: str, **options: object) -> TestResponse:
    """A call under a fresh key; without a body of its own it carries the form's token."""
    headers = {"Idempotency-Key": str(uuid4()), "Accept": HTML} | options.pop("headers", {})  # type: ignore[operator]
    cookie = client.http.get_cookie(COOKIE)
    if not {"data", "json"} & options.keys() and method != "GET":
        options["data"] = {"csrf_token": csrf_token(cookie.value)} if cookie else {}
    response = client.http.open(path, method=method, headers=headers, **options)  # type: ignore[arg-type]
    response.close()
    return response


def missing(response: TestResponse, path: str) -> list[str]:
    """What an answer should say and does not."""
    policy = response.headers.get("Content-Security-Policy", "")
    is_kept = path.startswith("/static/") and response.status_code == 200
    facts = {
        "policy": "default-src 'none'" in policy and "frame-ancestors 'none'" in policy,
        "no inline": "unsafe" not in policy and "*" not in policy,
        "nosniff": response.headers.get("X-Content-Type-Options") == "nosniff",
        "frames": response.headers.get("X-Frame-Options") == "DENY",
        "referrer": response.headers.get("Referrer-Policy") == "same-origin",
        "opener": response.headers.get("Cross-Origin-Opener-Policy") == "same-origin",
        "cache": is_kept or "no-store" in response.headers.get("Cache-Control", ""),
        "server": "Server" not in response.headers,
    }
    return [name for name, is_true in facts.items() if not is_true]


def refused(answers: Answers) -> dict[str, tuple[int, list[str]]]:
    return {
        name: (response.status_code, found)
        for name, response in answers
        if (found := missing(response, name.partition(" ")[2]))
    }


def everybody(app: Flask, world: World) -> Answers:
    """Every route as an admin, a worker, nobody, a foreign page; by methods it does not have."""
    answers: Answers = []
    foreign = {"headers": {"Origin": "https://evil.example"}}
    in_json = {"headers": {"Accept": JSON}}
    for name, method, path in calls(app):
        admin, worker = signed_in(app, world, "admin"), signed_in(app, world)
        asked = [
            send(nobody(app), method, path),
            send(nobody(app), method, path, **in_json),
            send(nobody(app), "TRACE", path),
            send(nobody(app), "OPTIONS", path),
            send(admin, method, path, **foreign),
            send(worker, method, path),
            send(admin, method, path),
        ]
        answers += [(name, response) for response in asked]
    return answers


def limits(app: Flask, world: World) -> Answers:
    """Bodies that are too large, too deep, of another kind; tries that are too many; conflicts."""
    answers: Answers = []
    for name, method, path in unsafe(app):
        admin = signed_in(app, world, "admin")
        for body, kind in ((TOO_LARGE, JSON), (TOO_DEEP, JSON), (b"x", "text/plain")):
            answers.append((name, send(admin, method, path, data=body, content_type=kind)))
    credentials = {"email": "polly@example.com", "password": "wrong"}
    for _ in range(TRIES):
        answers.append(("POST /login", send(nobody(app), "POST", "/login", data=credentials)))
    admin, somebody = signed_in(app, world, "admin"), world.employee()
    taken = {"name": "x", "email": somebody.email, "role": "worker"}
    created = {"title": "Sweep"}
    for path, wish in (("/api/v1/employees", taken), ("/api/v1/tasks", created)):
        answers.append((f"POST {path}", send(admin, "POST", path, json=wish)))
    for path in ("/none", "/api/none"):
        answers.append((f"GET {path}", send(admin, "GET", path)))
    return answers


def broken(app: Flask, world: World) -> Answers:
    """Every route when its code has a mistake."""
    for endpoint, view in app.view_functions.items():
        app.view_functions[endpoint] = _failing(view)  # type: ignore[assignment]
    admin = signed_in(app, world, "admin")
    return [(name, send(admin, method, path)) for name, method, path in calls(app)]


def _failing(view: Callable[..., object]) -> Callable[..., object]:
    def fail(**_: object) -> None:
        raise RuntimeError("a mistake")

    fail.rule = rule_of(view)  # type: ignore[attr-defined]
    return fail


def deaf(settings: TrackerSettings, world: World) -> Answers:
    """Every route when the database does not answer."""
    app = create_app(settings, create_engine(settings.database_url), world.clock, world.rng)
    client = Client(app.test_client())
    client.http.set_cookie(COOKIE, "x" * 43)
    return [(name, send(client, method, path)) for name, method, path in calls(app)]


def test_every_answer_of_every_route_carries_the_headers(
    app: Flask, own_app: Flask, world: World, keys: Path
) -> None:
    away = tracker_settings("postgresql+psycopg2://nobody:secret@127.0.0.1:1/none", keys)
    answers = [*everybody(app, world), *limits(app, world)]
    mistakes, silent = broken(own_app, world), deaf(away, world)

    assert {response.status_code for _, response in mistakes} <= {403, 500}
    assert {response.status_code for _, response in answers} & {500, 503} == set()
    answers += [*mistakes, *silent]
    assert refused(answers) == {}
    assert {response.status_code for _, response in answers} >= CLASSES


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(TOO_LARGE, None, 413), (TOO_DEEP, JSON, 400), (b"{}", "text/plain", 415)],
)
def test_no_route_reads_what_is_too_large_too_deep_or_of_another_kind(
    app: Flask, world: World, body: bytes, kind: str | None, status: int
) -> None:
    found: dict[str, int] = {}
    for name, method, path in unsafe(app):
        if name == TOKEN_FIRST:
            continue
        is_json = path.startswith(API_PREFIXES) and not path.startswith(FORM_CALLS)
        if kind is None or is_json:
            form = "application/x-www-form-urlencoded"
            given = kind or (JSON if is_json else form)
            who = allowed(app, world, name)
            found[name] = send(who, method, path, data=body, content_type=given).status_code

    assert len(found) > 10
    assert {name: each for name, each in found.items() if each != status} == {}
