"""One broker for all workers of a parallel run: an idle one costs two hundredths of a core, too.

The controller starts it while the workers collect, and outlives them. Tests keep apart by the
prefix of their topics; who kills or wipes a broker has one of his own (`brokers.own_broker`).
"""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from ates.embedded import process
from ates.embedded.kafka import KafkaServer

INPUT = "kafka"


class SharedKafka:
    """The controller's part: a plugin of xdist."""

    def __init__(self) -> None:
        """Choose folder and ports; nothing runs yet."""
        self._home = Path(tempfile.mkdtemp(prefix="ates-tests-kafka-"))
        self._place = str(self._home), process.free_port(), process.free_port()
        self._running = process.Running(server_at(*self._place), self._home / "server.log")

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where it will be."""
        node.workerinput[INPUT] = self._place

    def pytest_testnodeready(self) -> None:
        """Start it beside the first worker's collection, in this thread: it ends with it."""
        if self._running.process is None:
            self._running.start()

    def pytest_unconfigure(self) -> None:
        """Every worker has ended."""
        self._running.stop()
        shutil.rmtree(self._home)


def server_at(home: str, port: int, controller_port: int) -> KafkaServer:
    """The same description in every process."""
    folder = Path(home)
    return KafkaServer(folder / "server", port, controller_port, folder / "secrets", "")


def shared_server(config: pytest.Config) -> KafkaServer | None:
    """The controller's broker, ready; none in a run without workers."""
    place = getattr(config, "workerinput", {}).get(INPUT)
    if place is None:
        return None
    server = server_at(*place)
    deadline = time.monotonic() + process.READY_SECONDS_MAX
    while not (server.folder / process.READY_FILE).exists():
        assert time.monotonic() < deadline, "the shared broker did not start"
        time.sleep(process.POLL_SECONDS)
    return server
