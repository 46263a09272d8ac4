"""Employees over HTTP."""

from uuid import uuid4

import pytest
from flask import Flask

from tests.ops_api.conftest import World
from tests.ops_api.http import Client, signed_in, slug

EMPLOYEES = "/api/v1/employees"
POLLY = {"name": "Polly", "email": "polly@example.com", "role": "worker"}


@pytest.fixture
def admin(app: Flask, world: World) -> Client:
    """A signed-in admin."""
    return signed_in(app, world, "admin")


def test_an_admin_registers_changes_and_lists(admin: Client) -> None:
    polly = admin.send(EMPLOYEES, POLLY).get_json()
    path = f"{EMPLOYEES}/{polly['employee_id']}"
    changed = admin.send(path, {"role": "manager", "name": "Polly P."}, method="PATCH").get_json()

    assert (polly["role"], polly["is_active"], polly["version"]) == ("worker", True, 1)
    assert (changed["role"], changed["name"], changed["version"]) == ("manager", "Polly P.", 2)
    assert admin.get(path).get_json() == changed
    assert changed in admin.get(EMPLOYEES).get_json()["employees"]
    assert "password" not in admin.get(EMPLOYEES).text


def test_pages_of_employees_follow_each_other(admin: Client, world: World) -> None:
    for _ in range(4):
        world.clock.forward(seconds=1)
        world.employee()

    first = admin.get(f"{EMPLOYEES}?limit=3").get_json()
    rest = admin.get(f"{EMPLOYEES}?limit=3&cursor={first['next_cursor']}").get_json()

    assert len(first["employees"]) == 3
    assert len(rest["employees"]) == 2
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"role": "boss"}, "bad-role"), ({"email": "x"}, "bad-email"), ({"name": ""}, "bad-name"),
     ({"name": "a\r\nb"}, "bad-name"), ({"is_active": False}, "bad-fields"),
     ({"password": "secret"}, "bad-fields"), ({"employee_id": str(uuid4())}, "bad-fields")],
)  # fmt: skip
def test_a_bad_registration_is_refused(
    admin: Client, world: World, wrong: dict[str, object], expected: str
) -> None:
    response = admin.send(EMPLOYEES, POLLY | wrong)

    assert (response.status_code, slug(response)) == (422, expected)
    assert world.one("select count(*) from employees") == 1


def test_an_address_that_is_taken_is_a_conflict(admin: Client) -> None:
    admin.send(EMPLOYEES, POLLY)

    response = admin.send(EMPLOYEES, POLLY | {"email": "POLLY@example.com"})

    assert (response.status_code, slug(response)) == (409, "email-taken")


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"is_active": "no"}, 422), ({"version": 7}, 422), ({"role": "king"}, 422), ({}, 200)],
)
def test_a_bad_change_is_refused(admin: Client, changes: dict[str, object], status: int) -> None:
    polly = admin.send(EMPLOYEES, POLLY).get_json()

    response = admin.send(f"{EMPLOYEES}/{polly['employee_id']}", changes, method="PATCH")

    assert response.status_code == status
    assert admin.get(f"{EMPLOYEES}/{polly['employee_id']}").get_json() == polly


def test_who_is_not_there_is_not_found(admin: Client) -> None:
    path = f"{EMPLOYEES}/{uuid4()}"

    assert slug(admin.get(path)) == "no-such-employee"
    assert slug(admin.send(path, {"role": "worker"}, method="PATCH")) == "no-such-employee"


def test_a_role_taken_away_is_gone_with_the_next_request(
    app: Flask, world: World, admin: Client
) -> None:
    manager = signed_in(app, world, "manager")
    assert manager.get(EMPLOYEES).status_code == 200
    assert manager.employee is not None

    admin.send(f"{EMPLOYEES}/{manager.employee.employee_id}", {"is_active": False}, method="PATCH")

    assert manager.get(EMPLOYEES).status_code == 401
