"""A whole running installation to break: every process real, every fault from outside."""

import contextlib
import csv
import io
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import requests

from ates import reach
from ates.commands.verify import failing_lines
from ates.commands.wait import wait_until_settled
from ates.settings import load
from ates.supervisor import configuration, leftovers
from ates.supervisor.remote import ProcessInfo, Remote
from ops_api.auth.passwords import hash_password
from ops_api.clock import system_clock
from ops_api.context import CommandContext
from ops_api.employees.commands import register_employee
from ops_api.ids import uuid7
from warehouse.checks import verify
from warehouse.exports import write_export

START_SECONDS_MAX = 300.0
STOP_SECONDS_MAX = 90.0
COMMAND_SECONDS_MAX = 240.0
SETTLE_SECONDS_MAX = 150
RECOVERY_SECONDS_MAX = 60.0
REQUEST_SECONDS_MAX = 30.0
# Between a parrot's rounds of wishes; without one, three of them keep two cores busy.
BREATH_SECONDS = 0.1
# A tracker that is down, slow, or killed in the middle of an answer.
CUT_OFF = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
PASSWORD_LINE = re.compile(r"password:?\s+(\S+)", re.IGNORECASE)


class Client:
    """An employee at work; every acknowledged wish is remembered, to be looked for afterwards."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url
        self.created: dict[str, dict[str, Any]] = {}
        self.completed: set[str] = set()
        self._session = requests.Session()
        self._credentials = {"email": email, "password": password}
        self.sign_in()

    def sign_in(self) -> None:
        """Begin a session."""
        self._session.post(
            f"{self.url}/api/v1/session", json=self._credentials, timeout=REQUEST_SECONDS_MAX
        ).raise_for_status()

    def get(self, path: str) -> Any:
        """Read something, as soon as the tracker answers."""
        answer = self._answer("GET", path)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """Say a wish until the tracker answers it, always under the same idempotency key."""
        return self._answer(
            "POST", path, json=body or {}, headers={"Idempotency-Key": str(uuid.uuid4())}
        )

    def _answer(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.url}/api/v1{path}"
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while True:
            with contextlib.suppress(*CUT_OFF):
                answer = self._session.request(method, url, timeout=REQUEST_SECONDS_MAX, **options)
                if answer.status_code not in (502, 503):
                    return answer
            assert time.monotonic() < deadline, f"no answer to {path}"
            time.sleep(0.1)

    def create(self, title: str) -> str:
        """Create a task and remember it."""
        answer = self.post("/tasks", {"title": title})
        assert answer.status_code == 201, answer.text
        task = answer.json()
        self.created[task["task_id"]] = task
        return str(task["task_id"])

    def complete(self, task_id: str) -> bool:
        """Complete a task of one's own; false when it was lost to a reassignment."""
        answer = self.post(f"/tasks/{task_id}/complete")
        assert answer.status_code in (200, 403, 409), answer.text
        if answer.status_code == 200:
            self.completed.add(task_id)
        return answer.status_code == 200

    def reassign(self) -> None:
        """Draw every open task anew."""
        answer = self.post("/tasks/reassign")
        assert answer.status_code == 200, answer.text


class World:
    """One installation in one folder; used as a context manager it runs."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self.home = home
        self.environment = {**os.environ, "ATES_HOME": str(home), **variables}
        self.url = f"http://127.0.0.1:{variables['TRACKER_PORT']}"
        self.remote = Remote(configuration.socket_path(home))
        self._log = home.parent / "up.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.workers: list[Client] = []
        self.manager: Client

    def __enter__(self) -> "World":
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ates.cli", "up"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while b"all ready" not in self._log.read_bytes():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(STOP_SECONDS_MAX) == 0, self._log.read_text()
        assert not leftovers.find(self.home)

    def ates(self, *arguments: str) -> str:
        """Run a command of ours, which must succeed; what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"ates {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours, whatever comes of it."""
        return subprocess.run(
            [sys.executable, "-m", "ates.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    def hire_by_command(self, name: str, role: str) -> Client:
        """Somebody who can sign in, added as an operator does."""
        email = f"{name.lower()}@uberpopug.example"
        printed = self.ates("employee", "add", name, email, "--role", role)
        found = PASSWORD_LINE.search(printed)
        assert found, printed
        return Client(self.url, email, found[1])

    def hire(self, name: str) -> Client:
        """A worker who can sign in, added by what the command calls: a start costs a second."""
        email, password = f"{name.lower()}@uberpopug.example", secrets.token_urlsafe(16)
        rng = random.SystemRandom()
        context = CommandContext(
            actor_id=None, clock=system_clock, rng=rng,
            correlation_id=uuid7(system_clock(), rng), business_timezone=ZoneInfo("UTC"),
        )  # fmt: skip
        with reach.tracker_engine(self.settings()) as engine, engine.begin() as connection:
            register_employee(
                connection, context, name=name, email=email, role="worker",
                password_hash=hash_password(password),
            )  # fmt: skip
        return Client(self.url, email, password)

    def pid(self, name: str) -> int:
        """The process of a service; 0 when it has none."""
        return self.remote.processes()[name].pid

    def kill(self, name: str) -> None:
        """kill -9, with its children."""
        for process in _family(self.pid(name)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def kill_and_wait(self, name: str) -> None:
        """kill -9, and return when the supervisor has started it again."""
        before = self.pid(name)
        self.kill(name)
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while self.pid(name) in (0, before):
            assert time.monotonic() < deadline, f"{name} did not come back"
            time.sleep(0.1)

    @contextlib.contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """A service is down, and comes back afterwards."""
        self.remote.stop(name)
        self._until(name, lambda info: info.is_stopped)
        try:
            yield
        finally:
            self.remote.start(name)
            self._until(name, lambda info: info.is_running)

    def _until(self, name: str, is_so: Callable[[ProcessInfo], bool]) -> None:
        deadline = time.monotonic() + RECOVERY_SECONDS_MAX
        while not is_so(self.remote.processes()[name]):
            assert time.monotonic() < deadline, f"{name} is stuck"
            time.sleep(0.05)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Parrots create and complete until the block ends; an unexpected answer fails the test."""
        stop, errors = threading.Event(), list[BaseException]()

        def work(number: int, client: Client) -> None:
            try:
                turn = 0
                while not stop.is_set():
                    turn += 1
                    client.create(f"[POPUG-{turn}] - sweep roof {number}.{turn}")
                    for task in client.get("/tasks?status=open&limit=3")["tasks"]:
                        client.complete(task["task_id"])
                    stop.wait(BREATH_SECONDS)
            except BaseException as error:  # noqa: BLE001 - shown by the main thread
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=(number, client))
            for number, client in enumerate(self.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(RECOVERY_SECONDS_MAX * 2)
        if errors:
            raise errors[0]

    def settle(self) -> None:
        """Wait until nothing is in flight, as `ates wait` does."""
        reasons = wait_until_settled(self.settings(), SETTLE_SECONDS_MAX)
        assert not reasons, reasons

    def check(self) -> None:
        """Nothing is in flight, every invariant holds, and nothing acknowledged is missing.

        What `ates wait`, `verify` and `export` call, here without three processes a fault.
        """
        self.settle()
        with reach.lake_and_tracker(self.settings()) as lake:
            verification = verify(lake)
        assert verification.is_clean, "\n".join(failing_lines(verification))
        tasks = {row["task_id"]: row for row in self.export("tasks")}
        for client in [*self.workers, self.manager]:
            missing = client.created.keys() - tasks.keys()
            assert not missing, f"acknowledged and lost: {missing}"
            undone = {each for each in client.completed if tasks[each]["status"] != "done"}
            assert not undone, f"acknowledged and undone: {undone}"

    def export(self, what: str) -> list[dict[str, str]]:
        """The rows of `ates export`."""
        file = io.StringIO()
        with reach.lake_and_tracker(self.settings()) as lake:
            write_export(lake, what, file)
        return list(csv.DictReader(io.StringIO(file.getvalue())))

    def settings(self) -> dict[str, str]:
        """Every setting of the installation, the defaults and generated secrets included."""
        return load(self.environment, dotenv_file=None).environment()


def _family(pid: int) -> list[psutil.Process]:
    if pid == 0:
        return []
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
