"""Tasks over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from flask import Flask

from tests.ops_api.conftest import World
from tests.ops_api.http import Client, signed_in, slug

TASKS = "/api/v1/tasks"


@pytest.fixture
def worker(app: Flask, world: World) -> Client:
    """A signed-in worker, the only employee there is."""
    return signed_in(app, world)


def count_changes(world: World) -> object:
    return world.one("select (select count(*) from tasks) + (select count(*) from outbox)")


def test_a_task_is_created_listed_and_completed(worker: Client) -> None:
    assert worker.employee is not None
    created = worker.send(TASKS, {"title": "[POPUG-7] - Sweep"})
    task = created.get_json()

    assert created.status_code == 201
    assert (task["title"], task["jira_id"], task["status"]) == ("Sweep", "POPUG-7", "open")
    assert 1000 <= task["fee_cents"] <= 2000 <= task["reward_cents"] <= 4000
    listed = task | {"assignee_name": worker.employee.name}
    assert worker.get(TASKS).get_json()["tasks"] == [listed]

    done = worker.send(f"{TASKS}/{task['task_id']}/complete")
    again = worker.send(f"{TASKS}/{task['task_id']}/complete")

    assert done.status_code == again.status_code == 200
    assert done.get_json() == again.get_json()
    assert done.get_json()["status"] == "done"
    assert worker.get(f"{TASKS}?status=open").get_json()["tasks"] == []
    assert worker.get(f"{TASKS}?status=done").get_json()["tasks"] == [listed | done.get_json()]


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b"{", 400, "malformed-json"),
        (b"", 422, "bad-fields"),
        (b"\xff\xfe", 400, "malformed-json"),
        (b"[" * 60_000, 400, "malformed-json"),
        (b'{"title": NaN}', 400, "malformed-json"),
        (b'{"title": "a", "title": "b"}', 400, "malformed-json"),
        (b'"title"', 422, "bad-fields"),
        (b"[]", 422, "bad-fields"),
        (b"null", 422, "bad-fields"),
        (b"{}", 422, "bad-fields"),
        (b'{"title": 7}', 422, "bad-fields"),
        (b'{"title": null}', 422, "bad-fields"),
        (b'{"title": ["a"]}', 422, "bad-fields"),
        (b'{"title": ""}', 422, "bad-title"),
        (b'{"title": "a\\u0000b"}', 422, "bad-title"),
        (b'{"title": "a\\nb"}', 422, "bad-title"),
        (b'{"title": "\\ud800"}', 422, "bad-title"),
        (b'{"title": "' + b"x" * 501 + b'"}', 422, "bad-title"),
        (b'{"title": "' + b"x" * 70_000 + b'"}', 413, "request-entity-too-large"),
        (b'{"title": "x", "assignee_id": "me"}', 422, "bad-fields"),
        (b'{"title": "x", "fee_cents": 1}', 422, "bad-fields"),
        (b'{"title": "x", "reward_cents": 4000}', 422, "bad-fields"),
        (b'{"title": "x", "status": "done"}', 422, "bad-fields"),
        (b'{"title": "x", "task_id": "1"}', 422, "bad-fields"),
        (b'{"title": "x", "created_at": "2026-01-01T00:00:00Z"}', 422, "bad-fields"),
    ],
)
def test_a_bad_body_is_refused_with_a_reason_and_changes_nothing(
    worker: Client, world: World, body: bytes, status: int, expected: str
) -> None:
    before = count_changes(world)

    response = worker.http.post(
        TASKS, data=body, content_type="application/json", headers={"Idempotency-Key": "k"}
    )

    assert (response.status_code, slug(response)) == (status, expected)
    assert count_changes(world) == before


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind_is_refused(worker: Client, media_type: str) -> None:
    response = worker.http.post(
        TASKS,
        data=b'{"title": "x"}',
        content_type=media_type,
        headers={"Idempotency-Key": "k"},
    )

    assert (response.status_code, slug(response)) == (415, "not-json")


@pytest.mark.parametrize(
    ("key", "expected"),
    [("", "idempotency-key-missing"), ("x" * 201, "idempotency-key-malformed"),
     ("кл", "idempotency-key-malformed")],
)  # fmt: skip
def test_a_key_is_required(worker: Client, world: World, key: str, expected: str) -> None:
    before = count_changes(world)

    for path in (TASKS, f"{TASKS}/{uuid4()}/complete"):
        headers = {"Idempotency-Key": key.encode().decode("latin-1")} if key else {}
        response = worker.http.post(path, json={"title": "x"}, headers=headers)
        assert (response.status_code, slug(response)) == (400, expected)

    assert count_changes(world) == before


def test_the_same_key_again_gives_the_same_answer_and_no_second_task(
    worker: Client, world: World
) -> None:
    first = worker.send(TASKS, {"title": "x"}, key="k")
    second = worker.send(TASKS, {"title": "x"}, key="k")

    assert second.get_json() == first.get_json()
    assert second.status_code == 201
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert world.one("select count(*) from tasks") == 1


def test_the_same_key_for_another_wish_is_refused(worker: Client, world: World) -> None:
    task_id = worker.send(TASKS, {"title": "x"}, key="k").get_json()["task_id"]

    for response in (
        worker.send(TASKS, {"title": "y"}, key="k"),
        worker.send(f"{TASKS}/{task_id}/complete", key="k"),
    ):
        assert (response.status_code, slug(response)) == (422, "idempotency-key-reused")

    assert world.one("select count(*) from tasks where status = 'open' and title = 'x'") == 1


def test_ten_presses_with_one_key_reassign_once(app: Flask, world: World, worker: Client) -> None:
    for _ in range(3):
        worker.send(TASKS, {"title": "x"})
    manager = signed_in(app, world, "manager")
    cookie = manager.http.get_cookie("ates_session")
    assert cookie is not None

    def press(_: int) -> tuple[int, str]:
        client = app.test_client()
        client.set_cookie("ates_session", cookie.value)
        response = client.post(f"{TASKS}/reassign", headers={"Idempotency-Key": "once"})
        return response.status_code, response.text

    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(press, range(10)))

    ((status, body),) = answers
    assert status == 200
    assert '"count_tasks":3' in body
    assert world.one("select max(assignment_number) from tasks") == 2


def test_a_refusal_is_repeated_even_when_it_would_work_by_now(app: Flask, world: World) -> None:
    manager = signed_in(app, world, "manager")
    refused = manager.send(TASKS, {"title": "x"}, key="k")
    world.employee()

    again = manager.send(TASKS, {"title": "x"}, key="k")

    assert (refused.status_code, slug(refused)) == (409, "no-assignable-employee")
    assert again.get_json() == refused.get_json()
    assert manager.send(TASKS, {"title": "x"}, key="k2").status_code == 201


@pytest.mark.parametrize("role", ["worker", "accountant"])
def test_only_managers_and_admins_reassign(
    app: Flask, world: World, worker: Client, role: str
) -> None:
    worker.send(TASKS, {"title": "x"})

    response = signed_in(app, world, role).send(f"{TASKS}/reassign")

    assert (response.status_code, slug(response)) == (403, "not-allowed")
    assert world.one("select max(assignment_number) from tasks") == 1


def test_another_one_s_task_cannot_be_completed(app: Flask, world: World, worker: Client) -> None:
    task_id = worker.send(TASKS, {"title": "x"}).get_json()["task_id"]

    response = signed_in(app, world, "admin").send(f"{TASKS}/{task_id}/complete")

    assert (response.status_code, slug(response)) == (409, "not-the-assignee")
    assert slug(worker.send(f"{TASKS}/{uuid4()}/complete")) == "no-such-task"


def test_one_sees_one_s_own_tasks_only(app: Flask, world: World, worker: Client) -> None:
    worker.send(TASKS, {"title": "x"})
    other, manager = signed_in(app, world, "accountant"), signed_in(app, world, "manager")

    assert other.get(TASKS).get_json()["tasks"] == []
    assert other.get(f"{TASKS}?scope=all").status_code == 403
    assert len(manager.get(f"{TASKS}?scope=all").get_json()["tasks"]) == 1
    assert manager.get(f"{TASKS}?scope=all&status=done").get_json()["tasks"] == []


@pytest.mark.parametrize("scope", ["mine", "all"])
def test_pages_hold_every_task_once(app: Flask, world: World, scope: str) -> None:
    client = signed_in(app, world, "accountant")
    reader = signed_in(app, world, "admin") if scope == "all" else client
    for number in range(7):
        client.send(TASKS, {"title": f"{number}"})
        world.clock.forward(seconds=number % 2)  # pairs of tasks share their moment

    seen, cursor = [], ""
    for _ in range(4):
        page = reader.get(f"{TASKS}?scope={scope}&limit=2{cursor}").get_json()
        seen += [task["task_id"] for task in page["tasks"]]
        cursor = f"&cursor={page['next_cursor']}"

    assert page["next_cursor"] is None
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=0", 422), ("limit=201", 422), ("limit=x", 422), ("status=lost", 422),
     ("scope=theirs", 422), ("colour=red", 422), ("cursor=%00", 400), ("cursor=AAAA", 400),
     ("cursor=MjAyNi0wMS0wMS94", 400), ("cursor=", 400)],
)  # fmt: skip
def test_a_bad_query_is_refused(worker: Client, query: str, status: int) -> None:
    response = worker.get(f"{TASKS}?{query}")

    slug(response)
    assert response.status_code == status
