"""How a server's process is born, announces that it is ready, and dies.

Invariant: no server outlives the process that started it. On Linux the kernel sends the stop
signal to a child whose parent vanished, even by kill -9; elsewhere the next `ates up` cleans up.
"""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

READY_SECONDS_MAX = 170.0
STOP_SECONDS_MAX = 30.0
POLL_SECONDS = 0.03
PR_SET_PDEATHSIG = 1
FREE_PORTS = range(20_000, 32_000)  # below every usual range of ephemeral ports
FREE_PORT_TRIES_MAX = 100
PORTS_REMEMBERED_MAX = 500
_ports_given: deque[int] = deque(maxlen=PORTS_REMEMBERED_MAX)
READY_FILE = "ready"


class ServerError(RuntimeError):
    """A server did not start or died; the message says which, and where its log is."""


class Server(Protocol):
    """What the supervisor and the tests need to know of an embedded server."""

    @property
    def folder(self) -> Path:
        """All state of the server."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What asks for a clean and quick end."""

    def command(self) -> list[str]:
        """Starts the server in the foreground; holds no secret."""


def die_with_parent(stop_signal: signal.Signals) -> None:
    """Have the kernel send `stop_signal` when our parent ends (Linux; a no-op elsewhere)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended between the two lines
        os.kill(os.getpid(), stop_signal)


def in_background(task: Callable[[], None]) -> None:
    """Run `task` once in a forked child that dies with us, and survives our own exec.

    A task that fails ends us, too: a server that is not set up must not look alive.
    """
    server = os.getpid()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # inherited over exec: leaves no zombie
    if os.fork():
        return
    status = 1
    try:
        die_with_parent(signal.SIGKILL)
        task()
        status = 0
    except Exception:  # noqa: BLE001 - the child must end here, and its log must say why
        traceback.print_exc()
        os.kill(server, signal.SIGTERM)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def announce_ready(folder: Path, pid: int) -> None:
    """Tell whoever waits that the process `pid` now serves, fully set up."""
    draft = folder / f".{READY_FILE}.{pid}"
    draft.write_text(str(pid), encoding="ascii")
    draft.replace(folder / READY_FILE)


def is_ready(folder: Path, pid: int) -> bool:
    """True when this very process announced itself (a file of an earlier life does not count)."""
    try:
        return (folder / READY_FILE).read_text(encoding="ascii") == str(pid)
    except FileNotFoundError:
        return False


def is_port_taken(port: int, host: str = "127.0.0.1") -> bool:
    """True when something already listens there (SO_REUSEPORT listeners count, too)."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((host, port)) != 0:
            return False
        return bool(probe.getsockname() != probe.getpeername())  # loopback can meet itself


def free_port() -> int:
    """A port that is free now and that the kernel will not give to an outgoing connection.

    Not one that was given a moment ago, though nobody may listen there yet.
    """
    for port in random.sample(FREE_PORTS, FREE_PORT_TRIES_MAX):
        if port in _ports_given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _ports_given.append(port)
            return port
    raise ServerError("no free port found")


class Running:
    """An embedded server as our own child: for tests and short-lived tools.

    The supervisor starts the same commands by other means.
    """

    def __init__(self, server: Server, log: Path) -> None:
        """Describe it; `start` starts it."""
        self.server = server
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when the server is ready; raises ServerError with the end of its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                launched(self.server.command(), self.server.stop_signal),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C in the terminal is ours to pass on, in order
            )
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not is_ready(self.server.folder, self.process.pid):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.server.command()} did not start:\n{self._log_end()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask it to end, wait, and insist after a while."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(self.server.stop_signal)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """kill -9 of the whole process group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(STOP_SECONDS_MAX)
            self.process = None

    def _log_end(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]


def launched(command: Sequence[str], stop_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """The same command, started so that it ends with the process that started it."""
    launcher = Path(__file__).with_name("launcher.py")
    return [sys.executable, "-I", "-S", str(launcher), str(int(stop_signal)), *command]
