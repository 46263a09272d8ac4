"""What is kept for admins to read: security events, sessions, last sign-ins."""

import datetime as dt
from uuid import UUID, uuid4

import pytest
from flask import Flask

from ops_api import security_log
from ops_api.auth.commands import end_session, end_sessions_of
from ops_api.auth.models import SecurityEvent
from ops_api.auth.passwords import hash_password
from ops_api.auth.queries import last_sign_in_at, page_of_security_events, sessions_of
from ops_api.auth.rules import SESSION_IDLE
from ops_api.auth.sessions import start_session
from ops_api.employees.models import Employee
from ops_api.refusals import KEPT_OF_ADDRESS, KEPT_OF_ALL, Refusals
from tests.ops_api.conftest import World
from tests.ops_api.http import nobody, signed_in, slug

SESSION = "/api/v1/session"
PASSWORD = "correct horse battery"


def events(world: World, **filters: object) -> list[SecurityEvent]:
    with world.engine.begin() as connection:
        return page_of_security_events(connection, **filters)  # type: ignore[arg-type]


def test_a_refusal_is_on_record_although_it_changed_nothing(app: Flask, world: World) -> None:
    worker = signed_in(app, world)
    assert worker.employee is not None

    assert worker.send("/api/v1/tasks/reassign").status_code == 403

    (event,) = events(world)
    assert (event.event, event.actor) == ("refused", str(worker.employee.employee_id))
    assert (event.actor_name, event.address) == (worker.employee.name, "127.0.0.1")
    assert event.detail == "method=POST path=/api/v1/tasks/reassign"
    assert event.at == world.clock()


def test_a_change_names_who_did_it_and_to_whom(app: Flask, world: World) -> None:
    admin, worker = signed_in(app, world, "admin"), world.employee()
    assert admin.employee is not None

    admin.send(f"/api/v1/employees/{worker.employee_id}", {"role": "manager"}, method="PATCH")

    (event,) = events(world, employee_id=worker.employee_id)
    assert event.event == "employee_changed"
    assert (event.actor_name, event.employee_name) == (admin.employee.name, worker.name)
    assert "role=manager" in event.detail
    assert events(world, employee_id=admin.employee.employee_id) == [event]
    assert events(world, event="signed_in") == []


def test_signing_in_leaves_a_row_without_a_secret(app: Flask, world: World) -> None:
    employee = world.employee(password_hash=hash_password(PASSWORD))
    client = nobody(app)
    client.send(SESSION, {"email": "x\r\n\0y", "password": "wrong-secret"}, key="")
    client.send(SESSION, {"email": employee.email, "password": PASSWORD}, key="")

    kept = events(world)

    assert [event.event for event in kept] == ["signed_in", "sign_in_refused"]
    assert kept[0].employee_id == employee.employee_id
    assert kept[1].actor == "nobody"
    assert PASSWORD not in repr(kept)
    assert "wrong-secret" not in repr(kept)
    assert "\n" not in kept[1].detail


def test_events_come_in_pages_from_the_newest(app: Flask, world: World) -> None:
    worker = signed_in(app, world)
    for _ in range(5):
        worker.send("/api/v1/tasks/reassign")

    first = events(world, limit=3)
    rest = events(world, limit=3, before=first[-1].event_id)

    ids = [event.event_id for event in first + rest]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)


def test_admins_read_the_record_and_sessions_over_the_api(app: Flask, world: World) -> None:
    admin, worker = signed_in(app, world, "admin"), signed_in(app, world)
    assert worker.employee is not None
    for _ in range(3):
        worker.send("/api/v1/tasks/reassign")
    theirs = f"employee_id={worker.employee.employee_id}"

    first = admin.get(f"/api/v1/security-events?limit=2&event=refused&{theirs}").get_json()
    cursor = first["next_cursor"]
    rest = admin.get(f"/api/v1/security-events?limit=2&cursor={cursor}").get_json()

    assert len(first["events"]) == 2
    assert first["events"][0]["actor_name"] == worker.employee.name
    assert rest["next_cursor"] is None
    sessions = f"/api/v1/employees/{worker.employee.employee_id}/sessions"
    assert len(admin.get(sessions).get_json()["sessions"]) == 1
    assert admin.send(sessions, method="DELETE").get_json() == {"count_sessions": 1}
    assert admin.get(sessions).get_json() == {"sessions": []}
    nobody_s = "/api/v1/employees/00000000-0000-7000-8000-000000000000/sessions"
    assert slug(admin.get(nobody_s)) == slug(admin.send(nobody_s, method="DELETE"))


def test_old_and_surplus_events_are_purged_in_passing(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security_log, "PURGE_EVERY", 1)
    worker = signed_in(app, world)
    worker.send("/api/v1/tasks/reassign")
    world.clock.now += security_log.KEPT + dt.timedelta(days=1)
    fresh = signed_in(app, world)

    fresh.send("/api/v1/tasks/reassign")
    assert len(events(world)) == 1

    monkeypatch.setattr(security_log, "EVENTS_MAX", 3)
    for _ in range(10):
        fresh.send("/api/v1/tasks/reassign")
    assert len(events(world)) <= 4


def test_a_crowd_of_refusals_is_counted_and_leaves_few_rows(app: Flask, world: World) -> None:
    stranger = nobody(app)
    for _ in range(KEPT_OF_ADDRESS + 7):
        stranger.send("/api/v1/me", method="GET", Authorization="Bearer none")
    assert len(events(world, event="token_refused")) == KEPT_OF_ADDRESS
    world.clock.forward(minutes=1)

    stranger.send("/api/v1/me", method="GET", Authorization="Bearer none")

    assert events(world)[0].detail == "path=/api/v1/me untold=7"


def test_refusals_from_many_addresses_are_bounded_together_and_others_still_told() -> None:
    refusals, minute = Refusals(), dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)

    kept = [refusals.admit("refused", str(n), minute) for n in range(KEPT_OF_ALL + 5)]

    assert kept == [0] * KEPT_OF_ALL + [None] * 5
    assert refusals.admit("refused", "0", minute + dt.timedelta(minutes=1)) == 5
    assert refusals.admit("refused", "0", minute + dt.timedelta(minutes=1)) == 0


@pytest.fixture
def polly(world: World) -> Employee:
    return world.employee()


def begin(world: World, employee_id: UUID, **told: str) -> None:
    with world.engine.begin() as connection:
        start_session(connection, employee_id=employee_id, now=world.clock(), **told)


def test_living_sessions_are_told_apart_and_ended(world: World, polly: Employee) -> None:
    begin(world, polly.employee_id, address="10.0.0.1", user_agent="Fire\x07fox" + "x" * 999)
    world.clock.now += SESSION_IDLE
    begin(world, polly.employee_id, address="10.0.0.2")
    begin(world, world.employee().employee_id)

    with world.engine.begin() as connection:
        (session,) = sessions_of(connection, polly.employee_id, now=world.clock())
        assert session.address == "10.0.0.2"
        stranger, handle = uuid4(), session.handle
        assert not end_session(connection, employee_id=stranger, handle=handle)
        assert end_session(connection, employee_id=polly.employee_id, handle=handle)
        assert not end_session(connection, employee_id=polly.employee_id, handle=handle)
        assert sessions_of(connection, polly.employee_id, now=world.clock()) == []
    assert str(world.one("select max(user_agent) from sessions")).startswith("Firefoxx")
    with world.engine.begin() as connection:
        assert end_sessions_of(connection, employee_id=polly.employee_id) == 1
    assert world.one("select count(*) from sessions") == 1


def test_the_last_sign_in_is_remembered(app: Flask, world: World) -> None:
    employee = world.employee(password_hash=hash_password(PASSWORD))
    with world.engine.begin() as connection:
        assert last_sign_in_at(connection, employee.employee_id) is None

    nobody(app).send(SESSION, {"email": employee.email, "password": PASSWORD}, key="")

    with world.engine.begin() as connection:
        assert last_sign_in_at(connection, employee.employee_id) == world.clock()
