"""What holds for every route: rights, pages without scripts inside, problems."""

import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from ops_api.app import create_app
from ops_api.database import create_engine
from ops_api.settings import TrackerSettings
from ops_api.web.rights import allow
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, service, signed_in, slug
from tests.trackers import tracker_settings

NOBODYS_ID = UUID("00000000-0000-4000-8000-000000000000")

UNSAFE_API = (
    ("POST", "/api/v1/tasks"),
    ("POST", f"/api/v1/tasks/{NOBODYS_ID}/complete"),
    ("POST", "/api/v1/tasks/reassign"),
    ("POST", "/api/v1/employees"),
    ("PATCH", f"/api/v1/employees/{NOBODYS_ID}"),
    ("POST", "/api/v1/business-days/close-due"),
    ("POST", "/api/v1/business-days/2026-03-01/close"),
)
READS = (
    "/",
    "/api/v1/me",
    "/api/v1/tasks",
    "/api/v1/employees",
    f"/api/v1/employees/{NOBODYS_ID}",
    "/api/v1/business-days",
)


@pytest.mark.parametrize("path", READS)
def test_nobody_reads_without_signing_in(app: Flask, path: str) -> None:
    assert slug(nobody(app).get(path)) == "not-signed-in"
    assert slug(service(app, "wrong").get(path)) == "not-signed-in"


@pytest.mark.parametrize(("method", "path"), UNSAFE_API)
def test_nobody_changes_anything_without_signing_in(app: Flask, method: str, path: str) -> None:
    assert nobody(app).send(path, {}, method=method).status_code == 401


def test_a_browser_without_a_session_is_shown_where_to_sign_in(app: Flask) -> None:
    response = nobody(app).page("/")

    assert (response.status_code, response.location) == (303, "/login")


@pytest.mark.parametrize(("method", "path"), UNSAFE_API)
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:81"},
     {"Referer": "https://evil.example/localhost"}, {"Sec-Fetch-Site": "cross-site"}],
)  # fmt: skip
def test_another_site_s_page_changes_nothing(
    app: Flask, world: World, method: str, path: str, headers: dict[str, str]
) -> None:
    client = signed_in(app, world, "admin")

    response = client.send(path, {}, method=method, **headers)

    assert slug(response) == "foreign-origin"


def test_our_own_page_and_programs_may(app: Flask, world: World) -> None:
    client = signed_in(app, world)
    for headers in ({}, {"Origin": "http://localhost"}, {"Referer": "http://localhost/x"},
                    {"Sec-Fetch-Site": "same-origin"}):  # fmt: skip
        assert client.send("/api/v1/tasks", {"title": "x"}, **headers).status_code == 201


def test_no_page_holds_an_inline_script_or_style(
    app: Flask, world: World, settings: TrackerSettings
) -> None:
    client = signed_in(app, world, "manager")
    for path in ("/", "/login", "/none"):
        page = client.page(path).text.replace(f'href="{settings.dashboards_url}', "")
        assert re.search(r"<script(?![^>]* src=)", page) is None
        assert " style=" not in page
        assert "http://" not in page
        assert "https://" not in page


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/api/v1/none", "GET", 404), ("/none", "GET", 404), ("/api/v1/me", "POST", 405),
     ("/api/v1/tasks/not-an-id/complete", "POST", 404), ("/health", "DELETE", 405)],
)  # fmt: skip
def test_what_is_not_there_is_a_problem(
    app: Flask, world: World, path: str, method: str, status: int
) -> None:
    response = signed_in(app, world).send(path, method=method)

    slug(response)
    assert response.status_code == status
    assert ("Allow" in response.headers) is (status == 405)


def test_a_person_gets_a_page_that_leads_back(app: Flask, world: World) -> None:
    response = signed_in(app, world).page("/none")

    assert (response.status_code, response.mimetype) == (404, "text/html")
    assert 'href="/"' in response.text


def test_our_own_mistake_tells_nothing_but_a_number(
    own_app: Flask, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    @allow("anyone")
    def view() -> str:
        raise RuntimeError("secret detail")

    own_app.add_url_rule("/api/v1/broken", view_func=view)
    response = nobody(own_app).get("/api/v1/broken")

    assert slug(response) == "mistake"
    incident = response.get_json()["instance"].removeprefix("urn:uuid:")
    assert "secret" not in response.text
    assert incident in caplog.text
    assert "secret detail" in caplog.text


@pytest.fixture
def deaf_app(world: World, keys: Path) -> Callable[[], Flask]:
    """An application whose database does not answer."""

    def make() -> Flask:
        url = "postgresql+psycopg2://nobody:secret@127.0.0.1:1/none"
        settings = tracker_settings(url, keys)
        return create_app(settings, create_engine(url), world.clock, world.rng)

    return make


def test_without_a_database_every_call_is_told_to_come_back(
    deaf_app: Callable[[], Flask],
) -> None:
    app = deaf_app()
    client = Client(app.test_client())
    client.http.set_cookie("ates_session", "x" * 43)
    calls = [
        client.get("/ready"),
        client.get("/api/v1/tasks"),
        client.send("/api/v1/tasks", {"title": "x"}),
        client.send("/api/v1/session", {"email": "a@b.c", "password": "x" * 8}),
        service(app, "x").send("/api/v1/business-days/close-due"),
    ]
    for response in calls:
        assert slug(response) == "database-away"
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        assert "secret" not in response.text
    page = client.page("/?words=roof")
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert '<a class="btn btn-primary" href="/?words=roof">Try again</a>' in page.text


def test_connections_lost_while_idle_are_replaced_without_a_word(app: Flask, world: World) -> None:
    client = signed_in(app, world)
    for number in range(3):
        assert client.send("/api/v1/tasks", {"title": f"{number}"}).status_code == 201
    with world.engine.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid <> pg_backend_pid() and datname = current_database()"
            )
        )

    statuses = [client.send("/api/v1/tasks", {"title": f"{n}"}).status_code for n in range(5)]

    assert statuses == [201] * 5
