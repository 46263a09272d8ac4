"""A real HTTP server for tests that gives prepared answers and remembers what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = b'{"access_token":"a-token","token_type":"Bearer","expires_in":900}'


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpStub:
    """Gives `answers` (status, body) in turn, the last one for ever; status 0 hangs up.

    Tokens are given apart from them: `tokens` in turn, the last one for ever.
    """

    answers: list[tuple[int, bytes]]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    tokens: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, TOKEN)])
    asked_tokens: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        """Note a request and say what it gets."""
        is_token = asked.path == "/oauth/token"
        noted, answers = (
            (self.asked_tokens, self.tokens) if is_token else (self.asked, self.answers)
        )
        noted.append(asked)
        return answers[min(len(noted), len(answers)) - 1]


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[HttpStub]:
    """A server on a free port of this machine, gone at the end."""
    stub = HttpStub(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = stub.answer(Asked(self.path, dict(self.headers), body))
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
