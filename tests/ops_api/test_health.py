"""Liveness, readiness and figures of the tracker, and the log line of a request."""

import base64
import datetime as dt
import logging
import random

import msgspec
import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from ops_api.app import create_app
from ops_api.database import create_engine
from ops_api.outbox.sequencer import move_all
from ops_api.settings import TrackerSettings
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, service, signed_in, slug


def figures(client: Client) -> dict[str, float]:
    """Every sample of a scrape by its name and labels."""
    response = client.get("/metrics")
    assert response.status_code == 200, response.text
    return {
        sample.name + "".join(f",{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def scraper(app: Flask, secret: str | None = None) -> Client:
    """A program that reads figures by a service's name and secret."""
    client = app.test_client()
    secret = secret or app.extensions["tracker"].settings.oidc_pipelines_secret
    basic = base64.b64encode(f"pipelines:{secret}".encode()).decode()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Basic {basic}"
    return Client(client)


def deaf(world: World, settings: TrackerSettings) -> Flask:
    """A tracker whose database does not answer."""
    url = "postgresql+psycopg2://nobody:secret@127.0.0.1:1/none"
    changed = msgspec.structs.replace(settings, database_url=url)
    return create_app(changed, create_engine(url), world.clock, random.Random(1))


def test_without_a_database_the_tracker_lives_and_is_not_ready(
    app: Flask, world: World, settings: TrackerSettings
) -> None:
    without = deaf(world, settings)

    assert nobody(app).get("/health").get_json() == {"status": "alive"}
    assert nobody(app).get("/ready").get_json() == {"status": "ready"}
    assert nobody(without).get("/health").status_code == 200
    assert slug(nobody(without).get("/ready")) == "database-away"


def test_figures_are_for_services_and_admins(app: Flask, world: World) -> None:
    assert service(app).get("/metrics").status_code == 200
    assert scraper(app, "wrong").get("/metrics").status_code == 401
    assert scraper(app).get("/metrics").status_code == 200
    assert signed_in(app, world, "admin").get("/metrics").status_code == 200
    assert nobody(app).get("/metrics").status_code == 401
    for role in ("worker", "manager", "accountant"):
        assert signed_in(app, world, role).get("/metrics").status_code == 403


def test_what_waits_for_the_relay_shows_with_its_age(app: Flask, world: World) -> None:
    client = scraper(app)
    assert figures(client)["ates_log_oldest_waiting_seconds"] == 0
    world.employee()
    world.clock.forward(seconds=90)
    unmoved = figures(client)
    with world.engine.begin() as connection:
        move_all(connection)
        connection.execute(
            text("update event_log set recorded_at = :at"),
            {"at": world.clock() - dt.timedelta(seconds=30)},
        )
    unpublished = figures(client)
    with world.engine.begin() as connection:
        connection.execute(text("update publications set published_position = 1"))
    published = figures(client)

    names = ("ates_outbox_events", "ates_log_last_position", "ates_log_published_position",
             "ates_log_oldest_waiting_seconds")  # fmt: skip
    assert [unmoved[name] for name in names] == [1, 0, 0, 90]
    assert [unpublished[name] for name in names] == [0, 1, 0, 30]
    assert [published[name] for name in names] == [0, 1, 1, 0]


def test_days_that_are_over_and_open_are_counted(app: Flask, world: World) -> None:
    client = scraper(app)
    assert figures(client)["ates_days_waiting_to_close"] == 0
    world.employee()
    assert len(world.log()) == 1
    today = figures(client)
    world.clock.forward(days=3)
    later = figures(client)
    closed = service(app).send("/api/v1/business-days/close-due").get_json()["business_days"]
    after = figures(client)

    counts = [each["ates_days_waiting_to_close"] for each in (today, later, after)]
    assert counts == [0, 3, 0]
    assert len(closed) == 3


def test_without_a_database_its_figures_are_missing_rather_than_old(
    world: World, settings: TrackerSettings
) -> None:
    found = figures(scraper(deaf(world, settings)))

    assert found["ates_database_is_up"] == 0
    assert "ates_log_last_position" not in found
    assert found["process_start_time_seconds"] > 0


def test_requests_are_counted_by_route_and_never_by_what_strangers_make_up(
    app: Flask, world: World
) -> None:
    client = signed_in(app, world)
    name = "ates_http_request_duration_seconds_count"
    before = figures(scraper(app))
    for number in range(3):
        client.send("/api/v1/tasks", {"title": f"task {number}"})
        client.get(f"/made/up/{number}")
        client.http.open("/api/v1/tasks", method=f"VERB{number}")
    after = figures(scraper(app))

    grown = {key: after[key] - before.get(key, 0) for key in after if key.startswith(name)}
    assert grown[f"{name},POST,/api/v1/tasks,201"] == 3
    assert grown[f"{name},GET,other,404"] == 3
    assert sum(grown.values()) == 3 + 3 + 3 + 1  # the first scrape
    assert not any("VERB" in key or "/made/" in key for key in after)


def test_a_change_leaves_a_line_with_the_correlation_id_of_its_events(
    app: Flask, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    client = signed_in(app, world)
    assert client.employee is not None
    with caplog.at_level(logging.INFO, "ates.request"):
        client.get("/api/v1/tasks")
        client.send("/api/v1/tasks", {"title": "x"}, key="once")
        client.send("/api/v1/tasks", {"title": "x"}, key="once")

    first, second = (record.getMessage() for record in caplog.records)
    correlation_ids = {envelope.correlationid for _, envelope, _ in world.log()[1:]}
    assert len(correlation_ids) == 1
    assert f"correlation_id={correlation_ids.pop()}" in first
    assert f"actor={client.employee.employee_id}" in first
    assert "method=POST path=/api/v1/tasks status=201 seconds=0." in first
    assert "replayed=" not in first
    assert second.endswith("replayed=true")
