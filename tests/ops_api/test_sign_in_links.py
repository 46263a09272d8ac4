"""Links to choose a password by: made, looked at, used once, and worthless afterwards."""

import pytest
from flask import Flask

from ops_api.employees.commands import Changes, change_employee, set_password
from ops_api.employees.models import Employee
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, signed_in, slug
from tests.ops_api.letters import PASSWORD, REDEEM, letter, refusal, token_in


@pytest.fixture
def admin(app: Flask, world: World) -> Client:
    """A signed-in admin."""
    return signed_in(app, world, "admin")


@pytest.fixture
def polly(world: World) -> Employee:
    """Somebody without a password."""
    return world.employee()


def send(admin: Client, employee: Employee) -> str:
    path = f"/api/v1/employees/{employee.employee_id}/sign-in-link"
    response = admin.send(path)
    assert response.status_code == 201, response.text
    assert "token" not in response.text
    return path


def redeem(app: Flask, token: str) -> Client:
    """The browser of somebody who has used the link."""
    client = nobody(app)
    answer = client.send(REDEEM, {"token": token, "new_password": PASSWORD}, key="")
    assert answer.status_code == 201, answer.text
    return client


@pytest.mark.parametrize("by_page", [True, False])
def test_whoever_is_added_gets_a_link_and_is_signed_in_by_it(
    app: Flask, world: World, admin: Client, by_page: bool
) -> None:
    new = {"name": "Кеша <b>", "email": "kesha@example.com", "role": "worker"}
    if by_page:
        sent = admin.submit(
            "/employees", admin.form(admin.page("/employees/new"), "/employees") | new
        )
        assert "on its way" in admin.page(sent.location or "").text
    else:
        assert admin.send("/api/v1/employees", new).status_code == 201

    found = letter(world)
    kesha = redeem(app, token_in(found))

    assert (found.name, found.email) == ("Кеша <b>", "kesha@example.com")
    assert "Кеша &lt;b&gt;" in found.html
    assert "until 3 Mar 2026, 12:00 UTC" in found.text, "a day, for the first sign-in"
    assert kesha.get("/api/v1/me").get_json()["email"] == "kesha@example.com"
    credentials = {"email": "kesha@example.com", "password": PASSWORD}
    assert nobody(app).send("/api/v1/session", credentials, key="").status_code == 201


def test_a_link_is_looked_at_any_number_of_times_and_used_once(
    app: Flask, world: World, admin: Client, polly: Employee
) -> None:
    send(admin, polly)
    token = token_in(letter(world))
    browser = nobody(app)
    pages = [browser.page(f"/set-password?token={token}") for _ in range(3)]
    browser.http.head(f"/set-password?token={token}")
    assert all(polly.email in page.text for page in pages)
    assert {page.headers["Referrer-Policy"] for page in pages} == {"same-origin"}
    assert {page.headers["Cache-Control"] for page in pages} == {"no-store"}

    form = browser.form(pages[0], "/set-password")
    weak = browser.submit("/set-password", form | {"new": "short", "again": "short"})
    differing = browser.submit("/set-password", form | {"new": PASSWORD, "again": "other"})
    used = browser.submit("/set-password", form | {"new": PASSWORD, "again": PASSWORD})
    again = browser.submit("/set-password", form | {"new": PASSWORD, "again": PASSWORD})

    assert [page.status_code for page in (weak, differing, used, again)] == [422, 422, 303, 404]
    assert "12 to 128 characters" in weak.text
    assert used.location == "/"
    assert browser.get("/api/v1/me").get_json()["email"] == polly.email
    assert "does not work any more" in again.text
    assert "/forgot-password" in again.text
    assert world.one("select count(*) from sign_in_links") == 0


def test_choosing_a_password_ends_every_session_before(
    app: Flask, world: World, admin: Client
) -> None:
    before = signed_in(app, world)
    assert before.employee is not None
    send(admin, before.employee)

    redeem(app, token_in(letter(world)))

    assert before.get("/api/v1/me").status_code == 401
    assert admin.get("/api/v1/me").status_code == 200


@pytest.mark.parametrize("end", ["newer", "late", "password", "address", "left"])
def test_a_link_ends_when_something_overtakes_it(
    app: Flask, world: World, admin: Client, polly: Employee, end: str
) -> None:
    send(admin, polly)
    token = token_in(letter(world))
    employee_id = polly.employee_id
    if end == "newer":
        send(admin, polly)
    elif end == "late":
        world.clock.forward(hours=24)
    elif end == "password":
        with world.engine.begin() as connection:
            set_password(connection, employee_id=employee_id, password_hash="x")
    elif end == "address":
        world.run(change_employee, employee_id=employee_id, changes=Changes(email="p@example.com"))
    else:
        world.employee()
        world.run(change_employee, employee_id=employee_id, changes=Changes(is_active=False))

    page = nobody(app).page(f"/set-password?token={token}")

    assert page.status_code == 404
    assert "does not work any more" in page.text
    assert refusal(app, token) == "no-such-link"


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "ä" * 43, "\ud800", "x" * 9000])
def test_a_made_up_token_opens_nothing(app: Flask, polly: Employee, token: str) -> None:
    assert refusal(app, token) == "no-such-link"


def test_a_bad_password_leaves_the_link_as_it_is(
    app: Flask, world: World, admin: Client, polly: Employee
) -> None:
    send(admin, polly)
    token = token_in(letter(world))

    assert refusal(app, token, "passwordpassword") == "password-common"
    assert refusal(app, token, polly.email) == "password-personal"
    assert redeem(app, token).get("/api/v1/me").status_code == 200


def test_the_same_wish_of_an_admin_sends_one_link(
    world: World, admin: Client, polly: Employee
) -> None:
    path = f"/api/v1/employees/{polly.employee_id}/sign-in-link"
    admin.send(path, key="once")
    first = world.one("select link_id from sign_in_links")

    assert admin.send(path, key="once").headers["Idempotent-Replayed"] == "true"
    assert world.one("select link_id from sign_in_links") == first


def test_who_has_left_or_never_was_gets_no_link(
    world: World, admin: Client, polly: Employee
) -> None:
    world.employee()
    world.run(change_employee, employee_id=polly.employee_id, changes=Changes(is_active=False))
    path = "/api/v1/employees/{}/sign-in-link"

    assert slug(admin.send(path.format(polly.employee_id))) == "employee-left"
    unknown = admin.send(path.format("00000000-0000-7000-8000-000000000000"))
    assert slug(unknown) == "no-such-employee"
    assert world.one("select count(*) from sign_in_links") == 0


def test_the_employee_s_page_sends_a_link_and_tells_how_far_it_is(
    world: World, admin: Client, polly: Employee
) -> None:
    address = f"/employees/{polly.employee_id}"
    action = f"{address}/sign-in-link"

    sent = admin.submit(action, admin.form(admin.page(address), action))

    page = admin.page(sent.location or "").text
    assert "on its way" in page
    assert "waits to be sent" in page
    world.one("update sign_in_links set letter = null, sent_at = created_at returning 1")
    assert "was sent" in admin.page(address).text
