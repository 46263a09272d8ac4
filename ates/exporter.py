"""A small HTTP server beside a program that has none of its own: `/metrics`, `/health`, `/ready`.

It answers on a thread of its own, so it tells that a program stands still. Ready means that the
program's heartbeat, one of its figures that holds a time, is young.
"""

import json
import time
from collections.abc import Callable, Iterable
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import msgspec
from prometheus_client import REGISTRY, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from contracts.environment import SettingsError

ANSWER_SECONDS_MAX = 5

Answer = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[dict[str, Any], Answer], Iterable[bytes]]


class Heartbeat(msgspec.Struct, frozen=True):
    """The figure that holds the time of the last sign of life, and how old it may be."""

    metric: str
    seconds_max: float

    def complaint(self) -> str | None:
        """What is wrong, in words; None when nothing is."""
        at = REGISTRY.get_sample_value(self.metric)
        if not at:
            return "it has not begun to work yet"
        seconds = time.time() - at
        return f"no sign of life for {seconds:.0f} seconds" if seconds > self.seconds_max else None


# Longer than a turn takes while Kafka takes no page.
OF_RELAY = Heartbeat("ates_relay_last_turn_timestamp_seconds", seconds_max=60.0)
# Longer than the pauses between attempts while a server is away, and than Dagster's between ticks.
OF_INGEST = Heartbeat("ates_ingest_last_turn_timestamp_seconds", seconds_max=60.0)


def start(host: str, port: int, heartbeat: Heartbeat) -> ThreadingWSGIServer:
    """Answer from now on, for as long as the process lives or until `shutdown()`.

    Raises SettingsError when the port cannot be had.
    """
    try:
        server = make_server(host, port, _application(heartbeat), ThreadingWSGIServer, _Silent)
    except OSError as error:
        raise SettingsError(f"metrics cannot be served at {host}:{port}: {error}") from error
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Silent(WSGIRequestHandler):
    timeout = ANSWER_SECONDS_MAX

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing: somebody asks every few seconds."""


def _application(heartbeat: Heartbeat) -> Application:
    metrics: Application = make_wsgi_app()

    def application(environ: dict[str, Any], answer: Answer) -> Iterable[bytes]:
        match environ["PATH_INFO"]:
            case "/metrics":
                return metrics(environ, answer)
            case "/health":
                return _json(answer, "200 OK", status="alive")
            case "/ready":
                if complaint := heartbeat.complaint():
                    return _json(answer, "503 Service Unavailable", status=complaint)
                return _json(answer, "200 OK", status="ready")
        return _json(answer, "404 Not Found", status="there is nothing at this address")

    return application


def _json(answer: Answer, http_status: str, **body: str) -> Iterable[bytes]:
    answer(http_status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
