"""All services of one ATES_HOME as one thing that starts, runs and stops.

Invariant: after `stop`, and after any end of this process, no service and no port is left behind.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from ates.embedded.process import launched
from ates.services import Service, all_services
from ates.settings import Settings
from ates.supervisor import configuration, leftovers, ports
from ates.supervisor.lock import HomeLock
from ates.supervisor.remote import ProcessInfo, Remote, SupervisorDownError
from ates.supervisor.signals import Signals
from ates.supervisor.status import READY, ServiceStatus, state_of, statuses

POLL_SECONDS = 0.1
WATCH_SECONDS = 1.0
SUPERVISOR_SECONDS_MAX = 15.0
LOG_TAIL_BYTES = 3_000
CHILD_ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",  # a log line is in the log when it is written
    "MALLOC_ARENA_MAX": "2",  # glibc's default keeps tens of megabytes per thread
}

# Called with the service's name, what happened to it, and seconds since the start began.
OnProgress = Callable[[str, str, float], None]


class ServiceFailedError(RuntimeError):
    """A service did not become ready; the message ends with its log's last lines."""


class Stack:
    """Use as a context manager: leaving it stops whatever runs.

    Inside, SIGTERM and SIGHUP raise KeyboardInterrupt as Ctrl-C does; a second one while stopping
    kills what is left.
    """

    def __init__(self, settings: Settings, services: Sequence[Service] | None = None) -> None:
        """Describe it; nothing starts. Without `services`, all that the settings ask for."""
        self._settings = settings
        self._services = list(services) if services is not None else all_services(settings)
        self._home = settings.home
        self._lock = HomeLock(self._home)
        self._remote = Remote(configuration.socket_path(self._home))
        self._supervisord: subprocess.Popen[bytes] | None = None
        self._signals = Signals()

    def __enter__(self) -> Self:
        """From now on signals end the stack in order."""
        self._signals.install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, whatever happened."""
        self.stop()
        self._signals.restore()

    def start(self, on_progress: OnProgress = lambda _name, _what, _seconds: None) -> None:
        """Return when every service is ready.

        Raises AlreadyRunningError, PortsTakenError (both before anything starts) or
        ServiceFailedError.
        """
        began = time.monotonic()
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)  # mails and logs are private
        self._lock.take()
        try:
            ended = leftovers.end(self._home)
            if ended:
                on_progress("supervisor", f"ended {ended} leftover processes", 0.0)
            ports.check_free(self._services)
            self._prepare()
            self._start_supervisord()
            self._start_services(lambda name, what: on_progress(name, what, _since(began)))
        except BaseException:
            self.stop(on_progress)
            raise

    def wait_forever(self, on_progress: OnProgress = lambda _name, _what, _seconds: None) -> None:
        """Return only by an exception: KeyboardInterrupt on a signal, or SupervisorDownError."""
        began = time.monotonic()
        before = self._remote.processes()
        while True:
            time.sleep(WATCH_SECONDS)
            now = self._remote.processes()
            for name, info in now.items():
                if what := _what_happened(before[name], info):
                    on_progress(name, what, _since(began))
            before = now

    def stop(self, on_progress: OnProgress = lambda _name, _what, _seconds: None) -> None:
        """Stop in reverse order of dependency, and leave nothing behind. Harmless when stopped."""
        if self._supervisord is None:
            self._lock.release()
            return
        began = time.monotonic()
        with self._signals.hurry_on_second(self._kill):
            for service in self._services:
                if service.before_stop is not None:
                    service.before_stop()
            with contextlib.suppress(SupervisorDownError):
                self._stop_services(lambda name, what: on_progress(name, what, _since(began)))
                self._remote.shut_down()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._supervisord.wait(SUPERVISOR_SECONDS_MAX)
            if self._supervisord.poll() is None:
                self._supervisord.kill()
                self._supervisord.wait()
            leftovers.end(self._home)
        self._supervisord = None
        self._lock.release()

    def status(self) -> list[ServiceStatus]:
        """A row a service, also of a stack that another process started.

        Raises SupervisorDownError when nothing runs.
        """
        return statuses(self._services, self._remote.processes())

    def is_running(self) -> bool:
        """Whether a supervisor of this home answers, in whichever process."""
        return self._remote.is_up()

    def holder(self) -> int | None:
        """The process that runs this home's stack, if any."""
        return self._lock.holder()

    def _prepare(self) -> None:
        self._environment = self._settings.environment()
        for service in self._services:
            if service.folder is not None:
                service.folder.mkdir(parents=True, exist_ok=True)
            if service.prepare is not None:
                service.prepare(self._environment)

    def _kill(self) -> None:
        if self._supervisord is not None:
            self._supervisord.kill()
        leftovers.end(self._home, stop_seconds_max=0)

    def _start_supervisord(self) -> None:
        path = configuration.write(self._home, self._services)
        socket = configuration.socket_path(self._home)
        socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)]
        environment = {**os.environ, **self._environment, **CHILD_ENVIRONMENT}
        environment[leftovers.MARK] = str(self._home)
        self._supervisord = subprocess.Popen(
            launched(command),
            env=environment,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is ours to pass on, in order
        )
        deadline = time.monotonic() + SUPERVISOR_SECONDS_MAX
        while not self._remote.is_up():
            if self._supervisord.poll() is not None or time.monotonic() > deadline:
                log = self._home / "logs" / "supervisor.log"
                raise ServiceFailedError(f"the supervisor did not start: see {log}")
            time.sleep(POLL_SECONDS)

    def _start_services(self, on_progress: Callable[[str, str], None]) -> None:
        started: dict[str, float] = {}
        ready: set[str] = set()
        while len(ready) < len(self._services):
            processes = self._remote.processes()
            for service in self._services:
                name = service.name
                if name in ready:
                    continue
                if name not in started:
                    if ready.issuperset(service.needs):
                        self._remote.start(name)
                        started[name] = time.monotonic()
                elif self._is_ready(service, processes[name], _since(started[name])):
                    ready.add(name)
                    on_progress(name, READY)
            time.sleep(POLL_SECONDS)

    def _is_ready(self, service: Service, info: ProcessInfo, seconds: float) -> bool:
        """Raises ServiceFailedError when it never will be."""
        is_late = seconds > service.ready_seconds_max
        if info.has_given_up or is_late or (service.probe is None and info.has_ended_badly):
            why = "did not start in time" if is_late else f"failed to start. {info.problem}"
            raise ServiceFailedError(f"{service.name} {why}\n{self._log_tail(service.name)}")
        if service.probe is None:
            return info.has_ended_well
        return info.is_running and state_of(service, info) == READY

    def _stop_services(self, on_progress: Callable[[str, str], None]) -> None:
        remaining = {service.name: service for service in self._services}
        while remaining:
            processes = self._remote.processes()
            for name in [name for name in remaining if processes[name].is_stopped]:
                del remaining[name]
                on_progress(name, "stopped")
            needed = {name for each in remaining.values() for name in (*each.needs, *each.uses)}
            for name in remaining:
                if name not in needed:
                    self._remote.stop(name)
            time.sleep(POLL_SECONDS)

    def _log_tail(self, name: str) -> str:
        path = self._home / "logs" / f"{name}.log"
        if not path.exists():
            return ""
        return path.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")


def _since(began: float) -> float:
    return time.monotonic() - began


def _what_happened(before: ProcessInfo, now: ProcessInfo) -> str:
    """A word for the change between two looks; empty when there is nothing to tell."""
    if now.has_given_up and not before.has_given_up:
        return "gave up: it died too often"
    if before.is_running and not now.is_running:
        return f"ended {now.problem}".strip()
    if now.is_running and before.pid not in (0, now.pid):
        return f"ended and was started again (process {now.pid})"
    if now.is_running and not before.is_running:
        return f"was started again (process {now.pid})"
    return ""
