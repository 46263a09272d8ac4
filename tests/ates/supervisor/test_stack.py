"""The supervisor, with fake services: order, restarts, limits, and no end that leaves anything."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ates import settings
from ates.embedded.process import free_port, is_port_taken
from ates.supervisor import (
    AlreadyRunningError,
    PortsTakenError,
    ServiceFailedError,
    Stack,
    SupervisorDownError,
    configuration,
    leftovers,
)
from tests.ates.supervisor.run_stack import fake

RUN_STACK = Path(__file__).with_name("run_stack.py")
SECONDS_MAX = 60.0


def eventually(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not is_true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def load(home: Path) -> settings.Settings:
    return settings.load({"ATES_HOME": str(home)}, dotenv_file=None)


def pid_of(home: Path, name: str) -> int:
    path = home / f"{name}.pid"
    return int(path.read_text() or 0) if path.exists() else 0


class Foreground:
    """A stack of two fakes, the second needing the first, in a process of its own."""

    def __init__(self, home: Path, *words: str) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.ports = [free_port(), free_port()]
        self.output = home / "output.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(RUN_STACK), str(home), *map(str, self.ports), *words],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        eventually(self._is_ready, "all ready")

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        return "all ready" in self.output.read_text()

    def supervisord(self) -> psutil.Process:
        return next(
            process
            for process in psutil.Process(self.process.pid).children()
            if "supervisor.supervisord" in process.cmdline()
        )

    def assert_nothing_is_left(self) -> None:
        eventually(lambda: not leftovers.find(self.home), "no process is left")
        assert not any(map(is_port_taken, self.ports))


@pytest.fixture
def foreground(tmp_path: Path) -> Iterator[Foreground]:
    running = Foreground(tmp_path / "home")
    yield running
    running.process.kill()
    running.process.wait()
    leftovers.end(running.home)


def test_services_start_in_order_of_need_and_stop_in_reverse(foreground: Foreground) -> None:
    foreground.process.send_signal(signal.SIGTERM)
    assert foreground.process.wait(SECONDS_MAX) == 0

    lines = foreground.output.read_text().splitlines()
    expected = ["fake0 ready", "fake1 ready", "all ready", "fake1 stopped", "fake0 stopped"]
    assert lines == expected
    foreground.assert_nothing_is_left()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_leave_nothing(tmp_path: Path, number: int) -> None:
    running = Foreground(tmp_path / "home")

    running.process.send_signal(number)

    assert running.process.wait(SECONDS_MAX) == 0
    running.assert_nothing_is_left()


def test_a_killed_service_is_started_again(foreground: Foreground) -> None:
    before = pid_of(foreground.home, "fake1")

    os.kill(before, signal.SIGKILL)

    eventually(lambda: pid_of(foreground.home, "fake1") not in (0, before), "a new process")
    eventually(lambda: is_port_taken(foreground.ports[1]), "it serves again")
    eventually(lambda: "was started again" in foreground.output.read_text(), "told")


@pytest.mark.parametrize("words", [(), ("stubborn",)])
def test_kill_9_of_the_supervisor_leaves_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    running = Foreground(tmp_path / "home", *words)

    running.supervisord().kill()

    assert running.process.wait(SECONDS_MAX) != 0
    running.assert_nothing_is_left()


def test_kill_9_of_ates_up_leaves_nothing(foreground: Foreground) -> None:
    foreground.process.kill()
    foreground.process.wait()

    foreground.assert_nothing_is_left()


def test_the_next_start_ends_what_a_killed_one_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    killed = Foreground(home, "stubborn")
    supervisord = killed.supervisord()
    for process in (psutil.Process(killed.process.pid), supervisord):
        process.kill()
    killed.process.wait()

    again = Foreground(home)

    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(SECONDS_MAX) == 0
    killed.assert_nothing_is_left()


def test_a_second_start_is_refused_and_harms_nothing(foreground: Foreground) -> None:
    with Stack(load(foreground.home), []) as second:
        with pytest.raises(AlreadyRunningError, match=f"process {foreground.process.pid}"):
            second.start()

        assert second.holder() == foreground.process.pid
    assert all(map(is_port_taken, foreground.ports))


def test_status_tells_state_process_port_and_memory(foreground: Foreground) -> None:
    first, second = (fake(foreground.home, f"fake{n}", foreground.ports[n]) for n in (0, 1))

    rows = Stack(load(foreground.home), [first, second]).status()

    assert [(row.name, row.state, row.port) for row in rows] == [
        ("fake0", "ready", foreground.ports[0]),
        ("fake1", "ready", foreground.ports[1]),
    ]
    assert [row.pid for row in rows] == [pid_of(foreground.home, f"fake{n}") for n in (0, 1)]
    assert all(5e6 < row.memory_bytes < 100e6 for row in rows)


def test_status_of_nothing_says_so(tmp_path: Path) -> None:
    stack = Stack(load(tmp_path), [])

    assert not stack.is_running()
    with pytest.raises(SupervisorDownError):
        stack.status()


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    busy, free = free_port(), free_port()
    services = [fake(tmp_path, "fake0", free), fake(tmp_path, "fake1", busy)]
    with contextlib.closing(_listen(busy)), Stack(load(tmp_path), services) as stack:
        with pytest.raises(PortsTakenError) as caught:
            stack.start()

        assert f"port {busy} of fake1 is taken by" in str(caught.value)
        assert f"process {os.getpid()}" in str(caught.value)
        assert "set FAKE1_PORT to another port" in str(caught.value)
    assert not is_port_taken(free)
    assert not stack.is_running()


def test_a_service_that_keeps_dying_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "START_RETRIES_MAX", 1)
    (tmp_path / "fake1.broken").touch()
    ports = [free_port(), free_port()]
    services = [fake(tmp_path, "fake0", ports[0]), fake(tmp_path, "fake1", ports[1])]

    with (
        Stack(load(tmp_path), services) as stack,
        pytest.raises(ServiceFailedError, match="fake1 failed to start") as caught,
    ):
        stack.start()

    assert "broken on purpose" in str(caught.value)
    assert (tmp_path / "logs" / "fake1.log").read_text().count("broken on purpose") == 2
    assert not any(map(is_port_taken, ports))


def test_a_new_home_is_private(tmp_path: Path) -> None:
    home = tmp_path / "home"

    with Stack(load(home), []) as stack:
        stack.start()

    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("length", [80, 200])
def test_a_home_with_a_long_name_works_wherever_temporary_files_go(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    home = folder / ("n" * (length - len(f"{folder}/")))
    home.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    port = free_port()

    with Stack(load(home), [fake(home, "fake0", port)]) as stack:
        stack.start()
        assert stack.is_running()

    assert not is_port_taken(port)
    assert not configuration.socket_path(home).exists()


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))
