"""A real HTTP server for tests that gives prepared answers and remembers what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpStub:
    """Gives `answers` (status, body) in turn, the last one for ever; status 0 hangs up."""

    answers: list[tuple[int, bytes]]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def next_answer(self) -> tuple[int, bytes]:
        """The answer to the request that was just noted."""
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[HttpStub]:
    """A server on a free port of this machine, gone at the end."""
    stub = HttpStub(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stub.asked.append(Asked(self.path, dict(self.headers), body))
            status, content = stub.next_answer()
            if not status:
                self.connection.close()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (ValueError, ConnectionError):
                self.close_connection = True  # we hung up ourselves

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
