"""A taken port is found before anything starts, and named together with who holds it."""

import contextlib
import socket
from collections.abc import Sequence

import psutil

from ates.embedded.process import free_port, is_port_taken
from ates.services import Service
from ates.units import Unit
from ates.variables import VARIABLES


class PortsTakenError(RuntimeError):
    """Ports that our services need are in use; the message has a line for each."""


def choose_free() -> dict[str, str]:
    """A free port for every variable that holds one: for an installation beside any other."""
    return {name: str(free_port()) for name, each in VARIABLES.items() if each.unit is Unit.PORT}


def check_free(services: Sequence[Service]) -> None:
    """Raise PortsTakenError unless every port is free on loopback."""
    lines = [
        f"port {port} of {service.name} is taken{_by_whom(port)}: "
        f"end that process, or set {variable} to another port"
        for service in services
        for variable, port in service.ports.items()
        if is_port_taken(port) or not _can_bind(port)
    ]
    if lines:
        raise PortsTakenError("\n".join(lines))


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _by_whom(port: int) -> str:
    """Best effort: the system tells only about processes we may see."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            is_it = connection.status == psutil.CONN_LISTEN and port in connection.laddr
            if is_it and connection.pid is not None:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
