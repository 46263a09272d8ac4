"""`ates up` with every real service: ready, restarted when killed, gone without a trace."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ates.embedded.process import free_port, is_port_taken
from ates.settings import load
from ates.supervisor import Stack, leftovers
from ates.units import Unit
from ates.variables import VARIABLES

READY_SECONDS_MAX = 400.0
STOP_SECONDS_MAX = 120.0
MEMORY_BYTES_MAX = 2_500_000_000
PORTS = [name for name, variable in VARIABLES.items() if variable.unit is Unit.PORT]

pytestmark = [pytest.mark.faults, pytest.mark.installation, pytest.mark.timeout(900)]


class Up:
    """`ates up` in a process of its own, on free ports."""

    def __init__(self, home: Path) -> None:
        self.given = {"ATES_HOME": str(home), **{name: str(free_port()) for name in PORTS}}
        self.stack = Stack(load(self.given, dotenv_file=None))
        self.output = home.with_suffix(".txt")
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ates.cli", "up"],
                env={**os.environ, **self.given},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        eventually(self._is_ready, READY_SECONDS_MAX)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return "all ready" in self.output.read_text()

    def ates(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ates.cli", *words]
        environment = {**os.environ, **self.given}
        return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    def pids(self) -> dict[str, int | None]:
        return {row.name: row.pid for row in self.stack.status()}


def eventually(is_true: Callable[[], bool], seconds_max: float) -> None:
    deadline = time.monotonic() + seconds_max
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = Up(tmp_path_factory.mktemp("up") / "home")
    yield running
    running.process.kill()
    running.process.wait()
    leftovers.end(Path(running.given["ATES_HOME"]))


def test_every_service_is_ready_within_the_memory_promised(up: Up) -> None:
    done = up.ates("status")

    assert done.returncode == 0, done.stdout
    assert len(re.findall(r" ready ", done.stdout)) == 10
    assert sum(row.memory_bytes for row in up.stack.status()) < MEMORY_BYTES_MAX


def test_every_service_listens_on_loopback_only(up: Up) -> None:
    addresses = set()
    for member in psutil.Process(up.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):  # runs come and go
            addresses |= {
                connection.laddr.ip
                for connection in member.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }

    assert "127.0.0.1" in addresses
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


def test_every_log_can_be_read(up: Up) -> None:
    done = up.ates("logs", "kafka", "-n", "5")

    assert "Kafka Server started" in done.stdout


@pytest.mark.parametrize("name", ["tracker", "relay", "mailbox", "dagster-code", "kafka"])
def test_a_killed_service_comes_back(up: Up, name: str) -> None:
    before = up.pids()[name]
    assert before is not None

    os.kill(before, signal.SIGKILL)

    eventually(lambda: up.pids()[name] not in (None, before), STOP_SECONDS_MAX)
    eventually(lambda: all(row.is_ready for row in up.stack.status()), READY_SECONDS_MAX)


def test_sigterm_leaves_no_process_and_no_port(up: Up) -> None:
    up.process.terminate()

    assert up.process.wait(STOP_SECONDS_MAX) == 0
    assert not leftovers.find(Path(up.given["ATES_HOME"]))
    assert not [name for name in PORTS if is_port_taken(int(up.given[name]))]
    assert up.ates("status").returncode == 3
