"""Creating tasks over HTTP against an endpoint of the same server that does nothing."""

import itertools
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from flask import Flask, Response

from ates.embedded.process import free_port
from ates.settings import CLIENT_SECRETS
from benchmarks.ratio import Ratio, compare
from benchmarks.reassign import add_workers
from benchmarks.servers import servers
from ops_api.app import create_app_from_environment
from ops_api.auth.sessions import start_session
from ops_api.clock import system_clock
from ops_api.database import create_engine
from ops_api.tasks.routes import NewTask
from ops_api.web.answers import json_response
from ops_api.web.requests import read_json
from ops_api.web.rights import allow

GOAL = 0.2
CONNECTIONS = 16
SECONDS = 3.0
START_SECONDS_MAX = 60
BODY = b'{"title":"[POPUG-7] - sweep the roof and count the parrots"}'


def run() -> list[Ratio]:
    """Requests a second of 16 connections, client and PostgreSQL on the same machine."""
    port = free_port()
    with _server(port) as cookie:
        keys = itertools.count()
        ratio = compare(
            "create-task over HTTP",
            ours=lambda: _speed(port, "/api/v1/tasks", cookie, keys),
            baseline=lambda: _speed(port, "/api/v1/nothing", cookie, keys),
            goal=GOAL,
            unit="req/s",
        )
    return [ratio]


def application() -> Flask:
    """The tracker with one endpoint more, which reads the same body and does nothing."""
    app = create_app_from_environment()

    @app.post("/api/v1/nothing")
    @allow("anyone")
    def post_nothing() -> Response:
        return json_response({"title": read_json(NewTask).title}, 201)

    return app


@contextmanager
def _server(port: int) -> Iterator[str]:
    """The tracker as it is served in earnest; gives a worker's session."""
    url = servers().tracker_database()
    cookie = _sign_in(url)
    environment = {
        "DATABASE_URL": url,
        "TRACKER_HOST": "127.0.0.1",
        "TRACKER_PORT": str(port),
        "TRACKER_URL": f"http://127.0.0.1:{port}",
        "DASHBOARDS_URL": "http://127.0.0.1:1",
        "DAGSTER_URL": "http://127.0.0.1:1",
        "OIDC_KEYS_PATH": tempfile.gettempdir(),
        **dict.fromkeys(CLIENT_SECRETS, "secret-of-the-benchmark"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.create_task"], env=os.environ | environment
    )
    try:
        _wait_until_ready(port)
        yield cookie
    finally:
        process.terminate()
        process.wait()


def _sign_in(url: str) -> str:
    engine = create_engine(url)
    with engine.begin() as connection:
        worker_id = add_workers(connection)
        cookie = start_session(connection, employee_id=worker_id, now=system_clock())
    engine.dispose()
    return cookie


def _wait_until_ready(port: int) -> None:
    end = time.monotonic() + START_SECONDS_MAX
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < end:
            try:
                if session.get(f"http://127.0.0.1:{port}/ready", timeout=5).ok:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
    raise TimeoutError("the tracker does not start")


def _speed(port: int, path: str, cookie: str, keys: Iterator[int]) -> float:
    """Keep every connection busy with one request after the other."""
    selector = selectors.DefaultSelector()
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        connection.sendall(_request(path, cookie, keys))
    started = time.perf_counter()
    count = 0
    while (elapsed := time.perf_counter() - started) < SECONDS:
        for ready, _ in selector.select(1):
            answered = ready.fileobj
            assert isinstance(answered, socket.socket)
            _read_answer(answered)
            count += 1
            answered.sendall(_request(path, cookie, keys))
    for connection in connections:
        connection.close()
    selector.close()
    return count / elapsed


def _request(path: str, cookie: str, keys: Iterator[int]) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ates_session={cookie}\r\n"
        f"Idempotency-Key: {next(keys)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    )
    return head.encode() + BODY


def _read_answer(connection: socket.socket) -> None:
    answer = connection.recv(65_536)
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65_536)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 201 " in head[:20], answer
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)


if __name__ == "__main__":
    from contracts.environment import read_environment
    from ops_api.server import serve
    from ops_api.settings import TrackerSettings

    serve(read_environment(TrackerSettings), "benchmarks.create_task:application")
