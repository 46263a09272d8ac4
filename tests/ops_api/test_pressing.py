"""Reassign pressed all the time while everybody completes tasks, against a real server."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests
from sqlalchemy import text

from ops_api.auth.sessions import start_session
from ops_api.clock import system_clock
from ops_api.outbox.sequencer import move_all
from tests.ops_api.conftest import World
from tests.ops_api.test_server import Server, environment, server  # noqa: F401 - fixtures
from tests.ops_api.test_tasks_races import FEES_AND_REWARDS_ONCE

SECONDS = 4
PAUSE_SECONDS = 1.0
COUNT_TASKS = 1000
COUNT_CLIENTS = 20

FILL = text("""
with task as (
    insert into tasks (
        task_id, title, status, assignee_id, fee_cents, reward_cents, assignment_number, version,
        created_by, created_at
    )
    select uuidv7(), 'Sweep ' || n, 'open', :worker, 1500, 3000, 1, 2, :worker, now()
    from generate_series(1, :count) as n
    returning task_id
)
insert into outbox (
    event_id, type, version, topic, subject, sequence, occurred_at, business_date, correlation_id,
    fee_cents, employee_id, body
)
select uuidv7(), 'task.assigned', 1, 'tasks', task_id::text, 2, now(), current_date, uuidv7(),
    1500, :worker, '{}'
from task
""")

pytestmark = pytest.mark.faults


def sign_in(world: World, role: str) -> dict[str, str]:
    """The cookie of somebody new."""
    employee = world.employee(role)
    with world.engine.begin() as connection:
        session_id = start_session(connection, employee_id=employee.employee_id, now=system_clock())
    return {"ates_session": session_id}


def test_two_managers_press_while_twenty_complete_and_nobody_sees_an_error(
    server: Server,  # noqa: F811 - the fixture
    world: World,
) -> None:
    workers = [sign_in(world, "worker") for _ in range(COUNT_CLIENTS)]
    managers = [sign_in(world, "manager") for _ in range(2)]
    holder = world.one("select employee_id from employees where role = 'worker' limit 1")
    with world.engine.begin() as connection:
        connection.execute(FILL, {"worker": holder, "count": COUNT_TASKS})
    end = time.monotonic() + SECONDS
    statuses: Counter[tuple[str, int]] = Counter()
    slowest: dict[str, float] = {}
    lock = threading.Lock()

    def call(session: requests.Session, method: str, path: str, name: str) -> requests.Response:
        started = time.monotonic()
        answer = session.request(
            method, f"{server.url}/api/v1{path}", headers={"Idempotency-Key": str(uuid4())},
            timeout=30,
        )  # fmt: skip
        with lock:
            statuses[name, answer.status_code] += 1
            slowest[name] = max(slowest.get(name, 0.0), time.monotonic() - started)
        return answer

    def until_the_end(cookie: dict[str, str], turn: Callable[[requests.Session], None]) -> None:
        with requests.Session() as session:
            session.cookies.update(cookie)
            while time.monotonic() < end:
                turn(session)

    def press(session: requests.Session) -> None:
        call(session, "POST", "/tasks/reassign", "reassign")
        time.sleep(PAUSE_SECONDS)

    def complete(session: requests.Session) -> None:
        for task in call(session, "GET", "/tasks?limit=3", "list").json()["tasks"]:
            call(session, "POST", f"/tasks/{task['task_id']}/complete", "complete")
        time.sleep(0.05)

    with ThreadPoolExecutor(COUNT_CLIENTS + 2) as pool:
        runs = [pool.submit(until_the_end, each, press) for each in managers]
        runs += [pool.submit(until_the_end, each, complete) for each in workers]
        for run in runs:
            run.result()

    print(dict(statuses), slowest)
    assert {(name, status) for name, status in statuses} <= {
        ("reassign", 200), ("list", 200), ("complete", 200), ("complete", 409)
    }  # fmt: skip
    assert statuses["reassign", 200] >= 2
    assert statuses["complete", 200] > 0
    with world.engine.begin() as connection:
        move_all(connection)
    assert world.one(FEES_AND_REWARDS_ONCE) == 0
    assert "deadlock" not in server.log.read_text()
