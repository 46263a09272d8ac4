"""The pages, as a browser without scripts uses them."""

import html
import re
from uuid import uuid4

import pytest
from flask import Flask

from ops_api.auth.passwords import hash_password
from ops_api.tasks.commands import create_task
from ops_api.web.forms import money
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, signed_in

MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def worker(app: Flask, world: World) -> Client:
    """A signed-in worker, the only employee there is."""
    return signed_in(app, world)


def create(client: Client, title: str) -> str:
    """Create a task through the form and return where the browser is sent."""
    fields = client.form(client.page("/tasks/new"), "/tasks") | {"title": title}
    response = client.submit("/tasks", fields)
    assert response.status_code == 303
    assert response.location is not None
    return response.location


def test_one_signs_in_sees_one_s_tasks_and_signs_out(app: Flask, world: World) -> None:
    employee = world.employee(password_hash=hash_password("correct horse"))
    client = nobody(app)
    page = client.page("/login")

    wrong = client.submit("/login", {"email": employee.email, "password": "wrong"})
    right = client.submit("/login", {"email": employee.email, "password": "correct horse"})

    assert (page.status_code, wrong.status_code) == (200, 401)
    assert employee.email in wrong.text
    assert (right.status_code, right.location) == (303, "/")
    home = client.page("/")
    assert employee.name in home.text
    assert "Nothing to do right now" in home.text
    out = client.submit("/logout", client.form(home, "/logout"))
    assert (out.status_code, out.location) == (303, "/login?signed_out=1")
    assert client.page("/").status_code == 303


def test_a_task_is_created_shown_with_its_prices_and_done(worker: Client, world: World) -> None:
    notice = worker.page(create(worker, "[popug-7] - Sweep <b>now</b>")).text
    page = worker.page("/").text

    task_id = world.one("select task_id from tasks")
    fee, reward = (world.one(f"select {each}_cents from tasks") for each in ("fee", "reward"))
    assert "POPUG-7" in page
    assert "Sweep &lt;b&gt;now&lt;/b&gt;" in page
    assert "<b>now" not in page
    assert f"{MINUS}{money(fee)}" in page  # type: ignore[arg-type]
    assert f"+{money(reward)}" in page  # type: ignore[arg-type]
    assert worker.employee is not None
    assert f"went to {worker.employee.name}" in notice

    action = f"/tasks/{task_id}/complete"
    done = worker.submit(action, worker.form(worker.page("/"), action))

    assert done.status_code == 303
    page = worker.page(done.location or "").text
    assert f"is done: +{money(reward)}." in page  # type: ignore[arg-type]
    assert "Nothing to do right now" in page
    assert action not in page


def test_a_double_click_creates_one_task(worker: Client, world: World) -> None:
    fields = worker.form(worker.page("/tasks/new"), "/tasks") | {"title": "Sweep"}

    first, second = worker.submit("/tasks", fields), worker.submit("/tasks", fields)

    assert first.location == second.location
    assert world.one("select count(*) from tasks") == 1


def test_a_refused_title_comes_back_with_the_reason(worker: Client, world: World) -> None:
    title = "x" * 501
    fields = worker.form(worker.page("/tasks/new"), "/tasks") | {"title": title}

    response = worker.submit("/tasks", fields)

    assert response.status_code == 422
    assert "may have 500 characters" in response.text
    assert title in response.text
    assert world.one("select count(*) from tasks") == 0


def test_without_anybody_to_draw_the_page_says_so(app: Flask, world: World) -> None:
    manager = signed_in(app, world, "manager")
    fields = manager.form(manager.page("/tasks/new"), "/tasks") | {"title": "Sweep"}

    response = manager.submit("/tasks", fields)

    assert response.status_code == 409
    assert "no active employee" in response.text
    assert 'value="Sweep"' in response.text


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_managers_and_admins_reassign_with_a_button(
    app: Flask, world: World, worker: Client, role: str
) -> None:
    for number in range(3):
        create(worker, f"{number}")
    manager = signed_in(app, world, role)
    page = manager.page("/tasks")

    response = manager.submit("/tasks/reassign", manager.form(page, "/tasks/reassign"))

    assert "Reassign 3 open tasks" in page.text
    assert "3 open tasks were reassigned" in manager.page(response.location or "").text
    assert world.one("select min(assignment_number) from tasks") == 2


def test_others_have_no_such_button_and_no_such_right(worker: Client, world: World) -> None:
    create(worker, "Sweep")
    fields = worker.form(worker.page("/tasks/new"), "/tasks")

    response = worker.submit("/tasks/reassign", fields)

    assert "/tasks/reassign" not in worker.page("/").text
    assert response.status_code == 403
    assert world.one("select max(assignment_number) from tasks") == 1


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_without_the_session_s_token_changes_nothing(
    worker: Client, world: World, token: str | None
) -> None:
    page = worker.page("/tasks/new")
    fields = worker.form(page, "/tasks") | {"title": "Sweep"}
    fields.pop("csrf_token")
    if token is not None:
        fields["csrf_token"] = token

    for path in ("/tasks", f"/tasks/{uuid4()}/complete", "/logout"):
        assert worker.submit(path, fields).status_code == 403

    assert world.one("select count(*) from tasks") == 0
    assert worker.get("/api/v1/me").status_code == 200


def test_the_token_of_another_session_is_worth_nothing(app: Flask, world: World) -> None:
    one, other = signed_in(app, world), signed_in(app, world)

    fields = one.form(one.page("/tasks/new"), "/tasks") | {"title": "Sweep"}

    assert other.submit("/tasks", fields).status_code == 403


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_form_without_a_key_changes_nothing(worker: Client, world: World, key: str) -> None:
    fields = worker.form(worker.page("/tasks/new"), "/tasks") | {
        "title": "x",
        "idempotency_key": key,
    }

    assert worker.submit("/tasks", fields).status_code == 400
    assert world.one("select count(*) from tasks") == 0


def test_completing_what_somebody_else_holds_by_now_explains_itself(
    app: Flask, world: World, worker: Client
) -> None:
    create(worker, "Sweep")
    task_id = world.one("select task_id from tasks")
    other = signed_in(app, world)
    fields = other.form(other.page("/tasks/new"), "/tasks")

    response = other.submit(f"/tasks/{task_id}/complete", fields)

    assert response.status_code == 409
    assert "assigned to somebody else" in response.text


def test_the_page_tells_nothing_about_the_tasks_of_others(
    app: Flask, world: World, worker: Client
) -> None:
    create(worker, "Secret plan")
    task_id = world.one("select task_id from tasks")
    other = signed_in(app, world)

    for query in (f"created={task_id}", f"done={task_id}", "created=x", "done="):
        page = other.page(f"/?{query}")
        assert page.status_code == 200
        assert "Secret plan" not in page.text


def test_a_notice_is_never_text_from_the_address(worker: Client) -> None:
    page = worker.page("/?reassigned=<script>alert(1)</script>&created='&done=%00")

    assert page.status_code == 200
    assert "alert(1)" not in page.text


def test_a_long_list_comes_in_pages(world: World, worker: Client) -> None:
    assert worker.employee is not None
    for number in range(51):
        world.clock.forward(seconds=1)
        world.run(create_task, worker.employee.employee_id, title=f"task {number}")

    page = worker.page("/").text
    link = re.search(r'href="(/\?cursor=[^"]+)"', page)
    assert link is not None
    older = worker.page(html.unescape(link[1])).text

    assert page.count("data-row>") == 50
    assert (older.count("data-row>"), "task 0<" in older) == (1, True)
    assert "cursor" not in older.partition('id="live"')[2].partition("nav")[0]


def test_titles_are_text_wherever_they_stand(worker: Client) -> None:
    title = "\"'><img src=x onerror=alert(1)> {{ 7 * 7 }}"
    page = worker.page(create(worker, title)).text

    assert "<img src=x" not in page
    assert html.escape(title).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page


@pytest.mark.parametrize(
    ("amount_cents", "text"),
    [
        (0, "0"),
        (1500, "15"),
        (-1500, f"{MINUS}15"),
        (123456789, "1,234,567.89"),
        (-5, f"{MINUS}0.05"),
    ],
)
def test_money_is_shown_in_units(amount_cents: int, text: str) -> None:
    assert money(amount_cents) == text
