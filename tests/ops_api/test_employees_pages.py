"""Employees in a browser without scripts: added, changed, let go, signed out."""

import re
from uuid import UUID

import pytest
from flask import Flask

from ops_api.tasks.commands import create_task
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, signed_in


@pytest.fixture
def admin(app: Flask, world: World) -> Client:
    """A signed-in admin."""
    return signed_in(app, world, "admin")


def submit(client: Client, page: str, action: str, **fields: str) -> str:
    """Send a form of a page and return the page after it."""
    sent = client.submit(action, client.form(client.page(page), action) | fields)
    assert sent.status_code == 303, sent.text
    return client.page(sent.location or "").text


def test_somebody_is_added_and_found_by_name(admin: Client, world: World) -> None:
    page = submit(
        admin, "/employees/new", "/employees",
        name="Кеша <b>", email="kesha@example.com", role="accountant",
    )  # fmt: skip

    assert "Registered." in page
    assert "registered" in page, "it is on record, about them"
    assert world.one("select role from employees where email = 'kesha@example.com'") == "accountant"
    found = admin.page("/employees?words=кеша").text
    assert "Кеша &lt;b&gt;" in found
    assert found.count("data-row ") == 1
    assert "Nobody is called so." in admin.page("/employees?words=%25").text


def test_a_taken_address_comes_back_with_what_was_typed(admin: Client, world: World) -> None:
    taken = world.employee().email
    fields = admin.form(admin.page("/employees/new"), "/employees")
    fields |= {"name": "Iris", "email": taken, "role": "worker"}

    refused = admin.submit("/employees", fields)

    assert refused.status_code == 409
    assert "Somebody has this address already." in refused.text
    assert 'value="Iris"' in refused.text


def test_a_new_role_is_saved_and_the_last_admin_stays(admin: Client, world: World) -> None:
    worker = world.employee()
    address = f"/employees/{worker.employee_id}"
    fields = {"name": worker.name, "email": worker.email}

    assert "Saved." in submit(admin, address, address, role="manager", **fields)
    assert world.one(f"select role from employees where email = '{worker.email}'") == "manager"

    assert admin.employee is not None
    own = f"/employees/{admin.employee.employee_id}"
    sent = admin.form(admin.page(own), own) | {"name": "Root", "email": "root@example.com"}
    refused = admin.submit(own, sent | {"role": "worker"})
    assert refused.status_code == 409
    assert "The last active admin cannot be taken away." in refused.text


def test_who_is_let_go_hands_over_all_open_tasks_and_is_signed_out(
    app: Flask, admin: Client, world: World
) -> None:
    leaver = signed_in(app, world)
    assert leaver.employee is not None
    for number in range(3):
        world.run(create_task, leaver.employee.employee_id, title=f"{number}")
    stayer = world.employee()
    address = f"/employees/{leaver.employee.employee_id}"
    page = admin.page(address)
    form = re.search(r'<form(?:(?!</form>).)*value="no".*?</form>', page.text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))

    sent = admin.submit(address, fields)

    assert sent.status_code == 303
    assert world.one("select count(distinct assignee_id) from tasks") == 1
    assert UUID(str(world.one("select min(assignee_id::text) from tasks"))) == stayer.employee_id
    assert leaver.page("/").location == "/login"
    assert "Take back" in admin.page(address).text


def test_sessions_are_shown_and_ended(app: Flask, admin: Client, world: World) -> None:
    worker = signed_in(app, world)
    assert worker.employee is not None
    address = f"/employees/{worker.employee.employee_id}"

    page = submit(admin, address, f"{address}/end-sessions")

    assert "1 session was ended." in page
    assert worker.page("/").location == "/login"
    assert "sessions_ended" in admin.page("/security?event=sessions_ended").text


def test_what_was_refused_stands_in_the_security_log(
    app: Flask, admin: Client, world: World
) -> None:
    worker = signed_in(app, world)
    assert worker.page("/employees").status_code == 403

    page = admin.page("/security?event=refused").text

    assert worker.employee is not None
    assert worker.employee.name in page
    assert "/employees" in page


@pytest.mark.parametrize(
    "path", ["/employees/00000000-0000-7000-8000-000000000000", "/employees/x"]
)
def test_nobody_is_not_found(admin: Client, path: str) -> None:
    assert admin.page(path).status_code == 404
