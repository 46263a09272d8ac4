"""Business days over HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse as Response

from ops_api.outbox import archiving
from tests.ops_api.conftest import World
from tests.ops_api.http import service, signed_in, slug

DAYS = "/api/v1/business-days"


def test_the_schedule_closes_due_days_and_a_repetition_gets_the_same_answer(
    app: Flask, world: World
) -> None:
    world.employee()
    world.clock.forward(days=2)
    schedule = service(app)

    first = schedule.send(f"{DAYS}/close-due", key="2026-03-04")
    second = schedule.send(f"{DAYS}/close-due", key="2026-03-04")

    dates = [day["business_date"] for day in first.get_json()["business_days"]]
    assert dates == ["2026-03-02", "2026-03-03"]
    assert second.get_json() == first.get_json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert schedule.send(f"{DAYS}/close-due").get_json() == {"business_days": []}
    listed = schedule.get(f"{DAYS}?limit=1").get_json()["business_days"]
    assert listed == first.get_json()["business_days"][-1:]


def test_ten_calls_at_once_close_each_day_once(app: Flask, world: World) -> None:
    world.employee()
    world.clock.forward(days=6)

    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: service(app).send(f"{DAYS}/close-due").get_json(), range(10))
        )

    closed = [day["business_date"] for answer in answers for day in answer["business_days"]]
    assert sorted(closed) == [f"2026-03-0{day}" for day in range(2, 8)]


def test_one_day_is_closed_by_its_date(app: Flask, world: World) -> None:
    world.employee()
    world.clock.forward(hours=12)
    admin = signed_in(app, world, "admin")

    first = admin.send(f"{DAYS}/2026-03-02/close")
    again = admin.send(f"{DAYS}/2026-03-02/close")

    assert first.status_code == 200
    assert first.get_json() == again.get_json()
    assert first.get_json()["count_events"] == 1


@pytest.mark.parametrize(
    ("day", "status", "expected"),
    [("2026-03-04", 409, "not-its-turn"), ("2026-03-02", 200, ""), ("2026-03-09", 409,
     "day-not-over"), ("yesterday", 400, "bad-date"), ("2026-02-30", 400, "bad-date"),
     ("2026-03-01", 409, "not-its-turn")],
)  # fmt: skip
def test_a_day_whose_turn_it_is_not_stays_open(
    app: Flask, world: World, day: str, status: int, expected: str
) -> None:
    world.employee()
    world.clock.forward(days=4)

    response = service(app).send(f"{DAYS}/{day}/close")

    assert response.status_code == status
    assert status == 200 or slug(response) == expected
    assert world.one("select count(*) from business_days") == (1 if status == 200 else 0)


@pytest.mark.parametrize("query", ["cursor=x", "limit=0", "limit=5000", "after=2026-01-01"])
def test_a_bad_query_is_refused(app: Flask, query: str) -> None:
    assert service(app).get(f"{DAYS}?{query}").status_code == 422


def test_archived_days_leave_the_log_and_a_task_keeps_its_history(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "REMOVED_ROWS_MAX", 3)
    author, _ = signed_in(app, world, "admin"), world.employee()
    task_id = author.send("/api/v1/tasks", {"title": "Sweep"}).get_json()["task_id"]
    world.clock.forward(days=1)
    service(app).send(f"{DAYS}/close-due")
    signed_in(app, world, "manager").send("/api/v1/tasks/reassign")
    world.clock.forward(days=1)
    schedule = service(app)
    schedule.send(f"{DAYS}/close-due")
    reader = signed_in(app, world, "admin")
    before = reader.get(f"/api/v1/tasks/{task_id}").get_json()
    positions = [each[0] for each in world.log()]

    def remove(day: str) -> Response:
        return schedule.send(f"{DAYS}/{day}/remove-archived")

    assert slug(remove("2026-03-02")) == "not-published"
    with world.engine.begin() as connection:
        connection.execute(text("update publications set published_position = 5"))
    assert slug(remove("2026-03-04")) == "day-still-needed"
    counts = [remove("2026-03-02").get_json()["count_removed"] for _ in range(3)]

    assert counts == [3, 2, 0]
    assert [each[0] for each in world.log()] == positions[5:]
    assert reader.get(f"/api/v1/tasks/{task_id}").get_json() == before
    assert [each["what"] for each in before["history"]] == ["assigned", "assigned", "created"]
    assert slug(reader.send(f"{DAYS}/2026-03-02/remove-archived")) == "not-allowed"
    assert slug(remove("soon")) == "bad-date"


def test_what_happened_on_an_open_day_stays_in_the_log(app: Flask, world: World) -> None:
    world.employee()
    world.clock.forward(days=2)
    world.employee()  # before the certificates of the two days before, which come late
    schedule = service(app)
    schedule.send(f"{DAYS}/close-due")
    positions = [each[0] for each in world.log()]
    with world.engine.begin() as connection:
        connection.execute(text("update publications set published_position = 99"))

    refused = schedule.send(f"{DAYS}/2026-03-02/remove-archived")

    assert slug(refused) == "day-still-needed"
    assert [each[0] for each in world.log()] == positions
