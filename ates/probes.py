"""How we know that a service is ready: each probe asks once and answers at once."""

import http.client
from pathlib import Path
from typing import Protocol

import msgspec

from ates.embedded import process

ANSWER_SECONDS_MAX = 2.0


class Probe(Protocol):
    """Asks one running process whether it serves."""

    def is_ready(self, pid: int, uptime_seconds: float) -> bool:
        """True when it serves now; quick, and never raises for a server that does not answer."""


class Announced(msgspec.Struct, frozen=True):
    """The process wrote its pid to a file in this folder once it was fully set up."""

    folder: Path

    def is_ready(self, pid: int, uptime_seconds: float) -> bool:  # noqa: ARG002 - Probe's shape
        """True when this very process announced itself."""
        return process.is_ready(self.folder, pid)


class Answers(msgspec.Struct, frozen=True):
    """An HTTP server on loopback answers 200 under this path."""

    port: int
    path: str

    def is_ready(self, pid: int, uptime_seconds: float) -> bool:  # noqa: ARG002 - Probe's shape
        """True on a 200 within the time limit."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Listens(msgspec.Struct, frozen=True):
    """Something accepts connections on this port of loopback."""

    port: int

    def is_ready(self, pid: int, uptime_seconds: float) -> bool:  # noqa: ARG002 - Probe's shape
        """True when a connection is accepted."""
        return process.is_port_taken(self.port)


class Lives(msgspec.Struct, frozen=True):
    """The process has not ended within its first seconds: for those who serve nobody."""

    seconds: float

    def is_ready(self, pid: int, uptime_seconds: float) -> bool:  # noqa: ARG002 - Probe's shape
        """True when it has lived that long."""
        return uptime_seconds >= self.seconds
