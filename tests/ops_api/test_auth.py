"""Signing in and out: passwords, sessions, what a guesser learns."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from flask import Flask

from ops_api.auth import passwords
from ops_api.auth.rules import SESSION_IDLE, SESSION_LIFETIME
from ops_api.auth.sessions import csrf_token, find_session, is_csrf_token, start_session
from ops_api.employees.commands import Changes, change_employee
from ops_api.employees.models import Employee
from ops_api.errors import BusyError
from tests.ops_api.conftest import World
from tests.ops_api.http import nobody, signed_in, slug

SESSION = "/api/v1/session"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def password_hash() -> str:
    """One hash for all; making it takes a while."""
    return passwords.hash_password(PASSWORD)


@pytest.fixture
def polly(world: World, password_hash: str) -> Employee:
    """An employee with a password."""
    return world.employee("manager", password_hash=password_hash)


def test_hashes_are_argon2id_with_the_memory_we_promise(password_hash: str) -> None:
    assert password_hash.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert passwords.is_correct(password_hash, PASSWORD)
    assert not passwords.is_correct(password_hash, PASSWORD + " ")
    assert not passwords.is_correct(None, PASSWORD)
    assert not passwords.is_correct(password_hash, "x" * 10_000)
    assert not passwords.is_correct(password_hash, "\ud800")


def test_signing_in_begins_a_session_in_a_cookie_out_of_reach(
    app: Flask, world: World, polly: Employee
) -> None:
    client = nobody(app)

    response = client.send(SESSION, {"email": polly.email.upper(), "password": PASSWORD}, key="")

    assert response.status_code == 201
    assert response.get_json() == {
        "employee_id": str(polly.employee_id),
        "name": polly.name,
        "email": polly.email,
        "role": "manager",
    }
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Secure" not in cookie  # the tests' tracker speaks plain http
    assert client.get("/api/v1/me").get_json() == response.get_json()


def test_the_database_holds_no_session_id(app: Flask, world: World, polly: Employee) -> None:
    client = nobody(app)
    client.send(SESSION, {"email": polly.email, "password": PASSWORD}, key="")
    cookie = client.http.get_cookie("ates_session")
    assert cookie is not None

    stored = world.one("select session_hash from sessions")

    assert len(cookie.value) == 43
    assert bytes(stored) == hashlib.sha256(cookie.value.encode()).digest()  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("email", "password"),
    [("polly", "wrong password"), ("nobody@example.com", PASSWORD), ("no address", PASSWORD),
     ("\0", PASSWORD), ("x" * 5000, PASSWORD), ("polly", ""), ("polly", "\0"), ("", "")],
)  # fmt: skip
def test_a_guesser_always_gets_the_same_answer(
    app: Flask, polly: Employee, email: str, password: str
) -> None:
    given = polly.email if email == "polly" else email

    response = nobody(app).send(SESSION, {"email": given, "password": password}, key="")

    assert (response.status_code, slug(response)) == (401, "wrong-credentials")
    assert "Set-Cookie" not in response.headers


def test_an_unknown_address_costs_the_same_work_as_a_wrong_password(
    app: Flask, world: World, polly: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[Parameters] = []
    verify = PasswordHasher.verify

    def note(hasher: PasswordHasher, stored_hash: str, password: bytes) -> bool:
        verified.append(extract_parameters(stored_hash))
        return verify(hasher, stored_hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", note)
    statements = []
    for email in (polly.email, "nobody@example.com"):
        with world.statements() as sent:
            nobody(app).send(SESSION, {"email": email, "password": "wrong password"}, key="")
        statements.append(sent)

    assert len(verified) == 2
    assert verified[0] == verified[1], "the hash of nobody is as dear"
    assert statements[0] == statements[1]
    assert any("password_hash" in statement for statement in statements[1])


def test_who_has_left_cannot_sign_in(app: Flask, world: World, polly: Employee) -> None:
    world.run(change_employee, employee_id=polly.employee_id, changes=Changes(is_active=False))

    response = nobody(app).send(SESSION, {"email": polly.email, "password": PASSWORD}, key="")

    assert slug(response) == "wrong-credentials"


def test_a_weak_hash_is_renewed_at_the_next_sign_in(app: Flask, world: World) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    polly = world.employee(password_hash=weak)

    response = nobody(app).send(SESSION, {"email": polly.email, "password": PASSWORD}, key="")

    assert response.status_code == 201
    renewed = str(world.one("select password_hash from employees"))
    assert "m=47104" in renewed
    assert passwords.is_correct(renewed, PASSWORD)


def test_signing_in_again_ends_the_session_before(
    app: Flask, world: World, polly: Employee
) -> None:
    client = nobody(app)
    credentials = {"email": polly.email, "password": PASSWORD}
    client.send(SESSION, credentials, key="")
    first = client.http.get_cookie("ates_session")
    client.send(SESSION, credentials, key="")
    second = client.http.get_cookie("ates_session")

    assert first is not None
    assert second is not None
    assert first.value != second.value
    client.http.set_cookie("ates_session", first.value)
    assert client.get("/api/v1/me").status_code == 401
    assert world.one("select count(*) from sessions") == 1


def test_signing_out_kills_the_session_at_the_server(app: Flask, world: World) -> None:
    client = signed_in(app, world)
    cookie = client.http.get_cookie("ates_session")
    assert cookie is not None

    response = client.send(SESSION, method="DELETE", key="")
    client.http.set_cookie("ates_session", cookie.value)

    assert response.status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_session_ends_when_idle_and_when_old(app: Flask, world: World) -> None:
    idle, busy = signed_in(app, world), signed_in(app, world)
    step = SESSION_IDLE / 2
    for _ in range(int(SESSION_LIFETIME / step) - 1):
        world.clock.now += step
        assert busy.get("/api/v1/me").status_code == 200

    assert idle.get("/api/v1/me").status_code == 401
    world.clock.now += step
    assert busy.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("session_id", ["", "x", "x" * 43, "x" * 5000, "ä" * 43, "\x01" * 43])
def test_a_made_up_session_is_nobody_s(world: World, session_id: str) -> None:
    with world.engine.begin() as connection:
        assert find_session(connection, session_id, now=world.clock()) is None


def test_expired_sessions_are_cleared_away_in_passing(world: World) -> None:
    employee = world.employee()
    for _ in range(3):
        with world.engine.begin() as connection:
            start_session(connection, employee_id=employee.employee_id, now=world.clock())
    world.clock.now += SESSION_LIFETIME * 2
    with world.engine.begin() as connection:
        start_session(connection, employee_id=employee.employee_id, now=world.clock())

    assert world.one("select count(*) from sessions") == 1


def test_a_form_token_belongs_to_one_session() -> None:
    token = csrf_token("a" * 43)

    assert is_csrf_token("a" * 43, token)
    assert not is_csrf_token("b" * 43, token)
    assert not is_csrf_token("a" * 43, "")
    assert not is_csrf_token("a" * 43, "ä")
    assert "a" * 43 not in token


def test_on_https_the_cookie_is_for_https_only(
    app: Flask, world: World, polly: Employee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(app.extensions["tracker"].settings), "is_https", True)

    response = nobody(app).send(SESSION, {"email": polly.email, "password": PASSWORD}, key="")

    assert "Secure" in response.headers["Set-Cookie"]
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_a_crowd_at_the_door_waits_or_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch, password_hash: str
) -> None:
    monkeypatch.setattr(passwords, "GATE_WAIT_SECONDS", 0.0)
    gate = passwords._gate
    held = 0
    while gate.acquire(blocking=False):
        held += 1
    try:
        with pytest.raises(BusyError):
            passwords.is_correct(password_hash, PASSWORD)
    finally:
        for _ in range(held):
            gate.release()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(passwords.is_correct, password_hash, PASSWORD).result()


def test_the_security_log_tells_who_and_never_a_secret(
    app: Flask, polly: Employee, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ates.security")
    client = nobody(app)
    client.send(SESSION, {"email": "evil\r\nevent=signed_in", "password": "wrong-secret"}, key="")
    client.send(SESSION, {"email": polly.email, "password": PASSWORD}, key="")
    cookie = client.http.get_cookie("ates_session")
    assert cookie is not None
    client.http.get("/api/v1/tasks", headers={"Authorization": "Bearer stolen-token"})
    client.send("/api/v1/tasks", {"title": "x"}, Origin="https://evil.example")
    client.send(SESSION, method="DELETE", key="")

    lines = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in lines] == [
        "event=sign_in_refused",
        "event=signed_in",
        "event=token_refused",
        "event=foreign_origin_refused",
        "event=signed_out",
    ]
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert r"evil\r\nevent=signed_in" in lines[0]
    for secret in (PASSWORD, "wrong-secret", cookie.value, "stolen-token"):
        assert secret not in caplog.text
