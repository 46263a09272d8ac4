"""A task's history, an employee's day, and looking for tasks, over HTTP."""

import pytest
from flask import Flask
from sqlalchemy import text

from ops_api.outbox.sequencer import move_all
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, signed_in, slug

TASKS = "/api/v1/tasks"


@pytest.fixture
def worker(app: Flask, world: World) -> Client:
    """A signed-in worker, the only one who can be drawn."""
    return signed_in(app, world)


def test_a_history_tells_of_creation_assignments_and_completion(
    app: Flask, world: World, worker: Client
) -> None:
    manager = signed_in(app, world, "manager")
    task = manager.send(TASKS, {"title": "Sweep"}).get_json()
    with world.engine.begin() as connection:
        move_all(connection)  # half of the events are numbered, half still in the outbox
    manager.send(f"{TASKS}/reassign")
    worker.send(f"{TASKS}/{task['task_id']}/complete")

    found = worker.get(f"{TASKS}/{task['task_id']}").get_json()

    assert manager.employee is not None
    assert worker.employee is not None
    assert found["task"]["status"] == "done"
    assert [
        (each["what"], each["employee_name"], each["fee_cents"], each["reward_cents"])
        for each in found["history"]
    ] == [
        ("completed", worker.employee.name, None, task["reward_cents"]),
        ("assigned", worker.employee.name, task["fee_cents"], None),
        ("assigned", worker.employee.name, task["fee_cents"], None),
        ("created", manager.employee.name, None, None),
    ]


def test_one_s_day_is_what_one_was_charged_and_brought(
    app: Flask, world: World, worker: Client
) -> None:
    manager = signed_in(app, world, "manager")
    task = manager.send(TASKS, {"title": "Sweep"}).get_json()
    manager.send(f"{TASKS}/reassign")
    with world.engine.begin() as connection:
        move_all(connection)
    worker.send(f"{TASKS}/{task['task_id']}/complete")

    assert worker.get("/api/v1/me/today").get_json() == {
        "business_date": "2026-03-02",
        "fees_cents": 2 * task["fee_cents"],
        "rewards_cents": task["reward_cents"],
        "earned_cents": task["reward_cents"] - 2 * task["fee_cents"],
        "count_assigned": 2,
        "count_completed": 1,
    }
    assert manager.get("/api/v1/me/today").get_json()["earned_cents"] == 0


def test_a_new_day_begins_at_nothing(app: Flask, world: World) -> None:
    world.clock.forward(hours=11)
    worker = signed_in(app, world)
    worker.send(TASKS, {"title": "Sweep"})
    world.clock.forward(hours=1)

    found = worker.get("/api/v1/me/today").get_json()

    assert (found["business_date"], found["fees_cents"]) == ("2026-03-03", 0)


def test_every_account_s_events_say_whose_they_are(world: World, worker: Client) -> None:
    task = worker.send(TASKS, {"title": "Sweep"}).get_json()
    worker.send(f"{TASKS}/{task['task_id']}/complete")

    with world.engine.begin() as connection:
        rows = connection.execute(
            text("select employee_id, fee_cents + reward_cents > 0 as is_money from outbox")
        ).all()
    assert worker.employee is not None
    assert {row.employee_id for row in rows if row.is_money} == {worker.employee.employee_id}
    assert {row.employee_id for row in rows if not row.is_money} == {None}


def test_who_neither_holds_nor_created_a_task_does_not_see_it(
    app: Flask, world: World, worker: Client
) -> None:
    task_id = worker.send(TASKS, {"title": "Sweep"}).get_json()["task_id"]
    author = signed_in(app, world, "accountant")
    other_id = author.send(TASKS, {"title": "Mop"}).get_json()["task_id"]

    assert slug(author.get(f"{TASKS}/{task_id}")) == "not-yours"
    assert author.get(f"{TASKS}/{other_id}").status_code == 200
    assert signed_in(app, world, "admin").get(f"{TASKS}/{task_id}").status_code == 200


@pytest.mark.parametrize(
    ("words", "titles"),
    [("SWEEP", ["Sweep 100%"]), ("popug-7", ["Mop"]), ("", ["Mop", "Sweep 100%"]),
     ("%", ["Sweep 100%"]), ("_", []), ("roof", [])],
)  # fmt: skip
@pytest.mark.parametrize("scope", ["mine", "all"])
def test_words_are_looked_for_in_title_and_jira_id(
    app: Flask, world: World, worker: Client, words: str, titles: list[str], scope: str
) -> None:
    worker.send(TASKS, {"title": "Sweep 100%"})
    world.clock.forward(seconds=1)
    worker.send(TASKS, {"title": "[POPUG-7] Mop"})
    reader = signed_in(app, world, "manager") if scope == "all" else worker

    found = reader.http.get(TASKS, query_string={"scope": scope, "words": words}).get_json()

    assert [task["title"] for task in found["tasks"]] == titles


def test_managers_look_for_one_assignee_and_nobody_else_does(
    app: Flask, world: World, worker: Client
) -> None:
    worker.send(TASKS, {"title": "Sweep"})
    manager = signed_in(app, world, "manager")
    assert worker.employee is not None
    assert manager.employee is not None

    def count(assignee_id: object) -> int:
        found = manager.get(f"{TASKS}?scope=all&assignee_id={assignee_id}").get_json()
        return len(found["tasks"])

    assert count(worker.employee.employee_id) == 1
    assert count(manager.employee.employee_id) == 0
    refused = worker.get(f"{TASKS}?assignee_id={worker.employee.employee_id}")
    assert slug(refused) == "not-allowed"
