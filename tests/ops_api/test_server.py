"""The tracker as a real process: it is killed, stopped, started without a database."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests
from sqlalchemy import text

from ates.embedded.process import free_port
from ops_api.auth.sessions import start_session
from ops_api.clock import system_clock
from tests.ops_api.conftest import World

ATES = Path(sys.executable).with_name("ates")
START_SECONDS_MAX = 60
pytestmark = pytest.mark.faults


class Server:
    """A tracker process on a port of its own."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.url = environment["TRACKER_URL"]
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [ATES, "tracker"], env=os.environ | environment, stdout=output, stderr=output
            )

    def wait_until_ready(self) -> None:
        assert wait_for(self.is_ready), self.log.read_text()

    def is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def workers(self) -> list[psutil.Process]:
        children: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return [each for each in children if "resource_tracker" not in " ".join(each.cmdline())]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()


def wait_for(condition: Callable[[], bool], seconds_max: float = START_SECONDS_MAX) -> bool:
    end = time.monotonic() + seconds_max
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def environment(shared_database_url: str, tmp_path: Path) -> dict[str, str]:
    """The variables of a tracker on the test's database, with a home of its own."""
    port = free_port()
    urls = ("DATABASE_URL", "LAKE_CATALOG_URL", "DAGSTER_DATABASE_URL")
    return {
        **dict.fromkeys(urls, shared_database_url),
        "ATES_HOME": str(tmp_path / "home"),
        "TRACKER_HOST": "127.0.0.1",
        "TRACKER_PORT": str(port),
        "TRACKER_URL": f"http://127.0.0.1:{port}",
        "NO_PROXY": "*",
    }


@pytest.fixture
def server(
    world: World, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    """A running tracker on the world's database."""
    assert world.one("select count(*) from employees") == 0
    monkeypatch.setenv("NO_PROXY", "*")
    running = Server(environment, tmp_path / "tracker.log")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture
def cookie(world: World) -> dict[str, str]:
    """The session cookie of the only worker, in real time."""
    employee = world.employee()
    with world.engine.begin() as connection:
        session_id = start_session(connection, employee_id=employee.employee_id, now=system_clock())
    return {"ates_session": session_id}


def post_task(server: Server, cookie: dict[str, str], title: str) -> requests.Response:
    """Create a task; the title is the key, so that it may be said again."""
    return requests.post(
        f"{server.url}/api/v1/tasks",
        json={"title": title},
        cookies=cookie,
        headers={"Idempotency-Key": title},
        timeout=30,
    )


def create_whatever_happens(server: Server, cookie: dict[str, str], title: str) -> str:
    """Ask again until there is an answer, as a careful client does."""
    for _ in range(200):
        try:
            response = post_task(server, cookie, title)
        except requests.ConnectionError:
            time.sleep(0.1)
            continue
        if response.status_code == 201:
            return str(response.json()["task_id"])
        assert response.status_code == 503, response.text
        time.sleep(0.1)
    raise AssertionError("no answer")


def test_a_worker_killed_in_the_middle_of_work_loses_and_doubles_nothing(
    server: Server, world: World, cookie: dict[str, str]
) -> None:
    titles = [f"task {number}" for number in range(150)]
    (victim,) = server.workers()

    def kill_in_the_middle() -> None:
        wait_for(lambda: world.one("select count(*) > 20 from tasks") is True)
        victim.kill()

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda title: create_whatever_happens(server, cookie, title), titles))
    killer.join()

    assert not victim.is_running()
    assert len(set(ids)) == len(titles)
    with world.engine.connect() as connection:
        rows = connection.execute(text("select title, task_id::text from tasks")).all()
    assert {row.title: row.task_id for row in rows} == dict(zip(titles, ids, strict=True))
    assert len(world.log()) == 1 + 2 * len(titles)


def test_postgresql_that_drops_every_connection_costs_at_most_a_503(
    server: Server, world: World, cookie: dict[str, str]
) -> None:
    titles = [f"task {number}" for number in range(80)]
    stop = threading.Event()

    def keep_dropping() -> None:
        drop = text("""
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
            and application_name = 'ates' and query not like '%dropper%'
        """)
        with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as dropper:
            while not stop.wait(0.25):
                dropper.execute(drop)

    thread = threading.Thread(target=keep_dropping)
    thread.start()
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda title: create_whatever_happens(server, cookie, title), titles))
    finally:
        stop.set()
        thread.join()

    assert world.one("select count(*) from tasks") == len(titles)
    assert world.one("select count(distinct title) from tasks") == len(titles)
    assert world.one("select count(*) from outbox") == 1 + 2 * len(titles)


def test_a_server_that_is_killed_leaves_no_worker_and_no_port(
    server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    (worker,) = server.workers()

    server.process.kill()
    server.process.wait(10)

    assert wait_for(lambda: not worker.is_running(), 15)
    again = Server(environment, tmp_path / "again.log")
    try:
        again.wait_until_ready()
    finally:
        assert again.stop() == 0


def test_a_stop_lets_requests_finish_and_ends_with_status_zero(
    server: Server, world: World, cookie: dict[str, str]
) -> None:
    (worker,) = server.workers()
    with world.engine.connect() as blocker, ThreadPoolExecutor(1) as pool:
        transaction = blocker.begin()
        blocker.execute(text("lock table tasks in exclusive mode"))
        slow = pool.submit(post_task, server, cookie, "slow")
        waiting = "select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock'"
        assert wait_for(lambda: world.one(waiting) is True)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        transaction.rollback()
        assert slow.result().status_code == 201

    assert server.process.wait(20) == 0
    assert not worker.is_running()


def chunked_status(server: Server, cookie: dict[str, str], title_bytes: int) -> int:
    """The status for a new task whose body comes in chunks, its length unsaid."""
    host, port = server.url.removeprefix("http://").split(":")
    body = b'{"title": "' + b"x" * title_bytes + b'"}'
    head = (
        "POST /api/v1/tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
        f"Cookie: ates_session={cookie['ates_session']}\r\nIdempotency-Key: {title_bytes}\r\n"
        "Content-Type: application/json\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may answer early
            connection.sendall(head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        return int(connection.recv(4096).split()[1])


def test_a_body_without_a_length_has_a_limit_too(server: Server, cookie: dict[str, str]) -> None:
    statuses = {size: chunked_status(server, cookie, size) for size in (10, 70_000, 5_000_000)}

    assert statuses == {10: 201, 70_000: 413, 5_000_000: 413}


def test_without_a_database_it_says_so_and_ends(environment: dict[str, str]) -> None:
    nowhere = f"postgresql+psycopg2://ates:secret@127.0.0.1:{free_port()}/tracker"

    result = subprocess.run(
        [ATES, "tracker"],
        env=os.environ | environment | {"DATABASE_URL": nowhere},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 1
    assert "cannot use the database" in result.stderr
    assert "Traceback" not in result.stderr
    assert "secret" not in result.stderr
