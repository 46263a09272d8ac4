"""The gate as real servers: a provider that signs, a web server that tells, the gate between."""

import asyncio
import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import requests
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import ClientConnection, connect

from ates.embedded.process import free_port
from pipelines.gateway.app import create_app
from pipelines.gateway.settings import GatewaySettings

SECRET = "a secret of the tests only"
PATIENCE_SECONDS = 20
HTML = {"Accept": "text/html"}
PEOPLE = {
    role: {"sub": role, "name": f"Popug {role}", "email": f"{role}@example.com", "role": role}
    for role in ("admin", "manager", "accountant", "worker")
} | {"viewer": {"sub": "v", "name": "Vera", "email": "Vera@Example.com", "role": "worker"}}


@dataclass
class Provider:
    """Signs in whoever `who` names, unasked; tokens die with `sessions`."""

    url: str
    who: str = "admin"
    issuer: str = ""
    is_silent: bool = False
    id_token_changes: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"alg": "RS256"}, auto_kid=True)
    )

    def app(self) -> Starlette:
        """Its endpoints, as the tracker publishes them."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.configuration),
                Route("/oauth/authorize", self.authorize),
                Route("/oauth/token", self.token, methods=["POST"]),
                Route("/oauth/userinfo", self.userinfo),
                Route("/oauth/jwks", self.jwks),
                Route("/oauth/logout", self.logout),
            ]
        )

    def configuration(self, _request: Request) -> Response:
        if self.is_silent:
            return Response("away", 503)
        at = self.url
        return JSONResponse(
            {
                "issuer": at,
                "authorization_endpoint": f"{at}/oauth/authorize",
                "token_endpoint": f"{at}/oauth/token",
                "userinfo_endpoint": f"{at}/oauth/userinfo",
                "jwks_uri": f"{at}/oauth/jwks",
                "end_session_endpoint": f"{at}/oauth/logout",
            }
        )

    def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["code_challenge_method"] == "S256"
        assert asked["response_type"] == "code"
        assert asked["nonce"]
        code = secrets.token_hex(8)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer or self.url}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    async def token(self, request: Request) -> Response:
        expected = base64.b64encode(f"dagster:{SECRET}".encode()).decode()
        assert request.headers["authorization"] == f"Basic {expected}"
        form = parse_qs((await request.body()).decode())
        asked = self.codes.pop(form["code"][0])
        verifier = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        assert base64.urlsafe_b64encode(verifier).decode().rstrip("=") == asked["code_challenge"]
        access_token = secrets.token_hex(8)
        self.tokens[access_token] = self.who
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": "dagster", "sub": PEOPLE[self.who]["sub"], "iat": now,
            "exp": now + 600, "nonce": asked["nonce"], **self.id_token_changes,
        }  # fmt: skip
        id_token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return JSONResponse(
            {"access_token": access_token, "token_type": "Bearer", "id_token": id_token}
        )

    def userinfo(self, request: Request) -> Response:
        if self.is_silent:
            return Response("away", 503)
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token not in self.tokens:
            return Response(status_code=401)
        return JSONResponse(PEOPLE[self.tokens[token]])

    def jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def logout(self, request: Request) -> Response:
        assert request.query_params["id_token_hint"]
        self.tokens.clear()
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 303)


@dataclass
class Dagster:
    """A web server that tells what reached it."""

    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        """Everything under one roof."""
        every = ["GET", "HEAD", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                WebSocketRoute("/graphql", self.live),
                Route("/slow", self.slow),
                Route("/{path:path}", self.page, methods=every),
            ]
        )

    async def page(self, request: Request) -> Response:
        body = await request.body()
        path = request.scope["raw_path"].decode()
        query = f"?{request.url.query}" if request.url.query else ""
        self.seen.append((request.method, path + query, dict(request.headers), body))
        headers = {"X-Answer": "yes", "Set-Cookie": "inner=1", "Keep-Alive": "timeout=5"}
        return JSONResponse({"path": path}, headers=headers)

    async def slow(self, _request: Request) -> Response:
        async def parts() -> Any:
            for number in range(3):
                yield f"part {number}\n".encode()
                await asyncio.sleep(0.3)

        return StreamingResponse(parts())

    async def live(self, socket: WebSocket) -> None:
        self.seen.append(("SOCKET", "/graphql", dict(socket.headers), b""))
        await socket.accept("graphql-ws")
        try:
            while True:
                self.said.append(await socket.receive_text())
                await socket.send_text(f"echo {self.said[-1]}")
        except WebSocketDisconnect:
            self.said.append("left")


class Browser(requests.Session):
    """Keeps cookies by host, as browsers do, whatever the port."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.url = url

    def page(self, path: str = "/", **headers: str) -> requests.Response:
        """Go there, and wherever one is sent from there."""
        return self.get(self.url + path, headers=HTML | headers, timeout=PATIENCE_SECONDS)

    def ask(self, body: object, **headers: str) -> requests.Response:
        """GraphQL as a page of ours sends it; a header of None is left out."""
        sent = {"Origin": self.url} | headers
        return self.post(
            f"{self.url}/graphql", json=body, headers={k: v for k, v in sent.items() if v},
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    def cookie_header(self) -> str:
        """All cookies, for a web socket."""
        return "; ".join(f"{each.name}={each.value}" for each in self.cookies)


@dataclass
class GateWorld:
    """Everything that runs."""

    provider: Provider
    dagster: Dagster
    url: str

    def browser(self, who: str | None = None) -> Browser:
        """A new browser, signed in when somebody is named."""
        browser = Browser(self.url)
        if who is not None:
            self.provider.who = who
            browser.page("/auth")
        return browser


@contextmanager
def serving(app: Starlette, port: int) -> Iterator[None]:
    """A real server in a thread."""
    config = uvicorn.Config(
        app, port=port, ws="websockets-sansio", log_config=None, access_log=False,
        server_header=False, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + PATIENCE_SECONDS
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


@contextmanager
def gate_world(*, has_dagster: bool = True) -> Iterator[GateWorld]:
    """A provider, a web server and the gate between them."""
    ports = [free_port() for _ in range(3)]
    provider = Provider(f"http://127.0.0.1:{ports[0]}")
    dagster = Dagster()
    settings = GatewaySettings(
        tracker_url=provider.url,
        dagster_url=f"http://127.0.0.1:{ports[1]}",
        dagster_host="127.0.0.1",
        dagster_port=ports[1],
        dagster_web_port=ports[2],
        oidc_dagster_secret=SECRET,
        dagster_viewers="somebody@else.example, vera@example.com",
    )
    with ExitStack() as stack:
        stack.enter_context(serving(provider.app(), ports[0]))
        if has_dagster:
            stack.enter_context(serving(dagster.app(), ports[2]))
        stack.enter_context(serving(create_app(settings), ports[1]))
        yield GateWorld(provider, dagster, settings.origin)


def socket(browser: Browser, **headers: str) -> ClientConnection:
    """A web socket as a page of ours opens it."""
    sent = {"Cookie": browser.cookie_header()} | headers
    return connect(
        browser.url.replace("http", "ws") + "/graphql", subprotocols=["graphql-ws"],  # type: ignore[list-item]
        additional_headers=sent, origin=headers.pop("Origin", browser.url), proxy=None,  # type: ignore[arg-type]
    )  # fmt: skip


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
