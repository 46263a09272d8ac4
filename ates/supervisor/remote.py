"""Talking to a running supervisord through its socket (mode 0600)."""

import http.client
import xmlrpc.client
from pathlib import Path
from typing import Any

import msgspec
from supervisor.states import ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport

RUNNING = {ProcessStates.STARTING, ProcessStates.RUNNING}
STOPPED = {ProcessStates.STOPPED, ProcessStates.EXITED, ProcessStates.FATAL}


class SupervisorDownError(RuntimeError):
    """No supervisor answers for this ATES_HOME."""


class ProcessInfo(msgspec.Struct, frozen=True):
    """What supervisord knows of one process. `state` is one of its ProcessStates."""

    name: str
    state: int
    pid: int
    uptime_seconds: float
    exit_status: int
    problem: str

    @property
    def is_running(self) -> bool:
        """Its process exists."""
        return self.state in RUNNING

    @property
    def is_stopped(self) -> bool:
        """It has no process and none is coming by itself (or it ended just now)."""
        return self.state in STOPPED

    @property
    def is_stopping(self) -> bool:
        """It was asked to end and has not yet."""
        return bool(self.state == ProcessStates.STOPPING)

    @property
    def has_given_up(self) -> bool:
        """It died too often."""
        return bool(self.state == ProcessStates.FATAL)

    @property
    def has_ended_well(self) -> bool:
        """It did its work and ended."""
        return bool(self.state == ProcessStates.EXITED and self.exit_status == 0)

    @property
    def has_ended_badly(self) -> bool:
        """It ended with an error and is not running."""
        return bool(self.state == ProcessStates.EXITED and self.exit_status != 0)


class Remote:
    """The calls we need; every one raises SupervisorDownError when nobody answers."""

    def __init__(self, socket: Path) -> None:
        """Connect only when called."""
        transport = SupervisorTransport(None, None, f"unix://{socket}")
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
        self._calls: Any = proxy.supervisor
        self._close = transport.close

    def processes(self) -> dict[str, ProcessInfo]:
        """Every process by name."""
        rows = self._call("getAllProcessInfo")
        return {
            row["name"]: ProcessInfo(
                row["name"],
                row["state"],
                row["pid"],
                float(max(0, row["now"] - row["start"])) if row["pid"] else 0.0,
                row["exitstatus"],
                row["spawnerr"],
            )
            for row in rows
        }

    def start(self, name: str) -> None:
        """Start it and return at once."""
        self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Begin to stop it; one that is not running is fine."""
        try:
            self._call("stopProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != Faults.NOT_RUNNING:
                raise

    def shut_down(self) -> None:
        """Have supervisord stop what still runs and end."""
        self._call("shutdown")

    def is_up(self) -> bool:
        """Whether somebody answers."""
        try:
            self._call("getState")
        except SupervisorDownError:
            return False
        return True

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            return getattr(self._calls, method)(*arguments)
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorDownError(f"no supervisor answers: {error}") from error
        finally:
            self._close()  # one connection a call: nothing is held open between them
