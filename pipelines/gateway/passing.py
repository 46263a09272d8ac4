"""Passing a request on to Dagster's web server and its answer back, as it comes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pipelines.gateway.rules import ACCESS_HEADER, Access

BODY_BYTES_MAX = 8 * 1024 * 1024
# Concern one connection only, or us alone: Dagster needs neither cookies nor tokens.
NOT_PASSED_ON = frozenset(
    (
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "te", "trailer", "transfer-encoding", "upgrade", "host", "content-length", "expect",
        "cookie", "set-cookie", "authorization", "origin", "referer", "forwarded",
        "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "server", "date",
        ACCESS_HEADER,
    )
)  # fmt: skip
TIMEOUT = httpx2.Timeout(connect=3.0, read=120.0, write=30.0, pool=10.0)
LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20)


class TooLargeError(Exception):
    """The request's body is larger than BODY_BYTES_MAX."""


class DagsterSilentError(Exception):
    """Dagster's web server does not answer."""


def new_client() -> httpx2.AsyncClient:
    """For the process and everybody's requests, so it keeps no cookie of an answer.

    A proxy named in the environment is none of its business.
    """
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx2.AsyncClient(timeout=TIMEOUT, limits=LIMITS, trust_env=False, cookies=no_cookies)


async def read_body(request: Request) -> bytes:
    """The whole body; raises TooLargeError as soon as it is."""
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > BODY_BYTES_MAX:
            raise TooLargeError
    return bytes(parts)


async def pass_on(
    client: httpx2.AsyncClient, request: Request, body: bytes, port: int, access: Access
) -> Response:
    """The web server's answer, streamed; raises DagsterSilentError until it has begun."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    target = httpx2.URL(
        scheme="http", host="127.0.0.1", port=port, raw_path=path + (b"?" + query if query else b"")
    )
    headers = [*_passed(request.headers.items(), request.headers), (ACCESS_HEADER, access.value)]
    passed = client.build_request(request.method, target, headers=headers, content=body)
    try:
        answer = await client.send(passed, stream=True)
    except httpx2.HTTPError as error:
        raise DagsterSilentError(f"{type(error).__name__}: {error}") from error
    response = StreamingResponse(_streamed(answer), answer.status_code)
    pairs = _passed(answer.headers.multi_items(), answer.headers)
    response.raw_headers = [
        (name.encode("latin-1"), text.encode("latin-1")) for name, text in pairs
    ]
    response.raw_headers.append((b"x-frame-options", b"DENY"))
    if request.method == "HEAD" or answer.status_code in {204, 304}:
        return response
    if length := answer.headers.get("content-length"):
        response.raw_headers.append((b"content-length", length.encode("latin-1")))
    return response


async def look(client: httpx2.AsyncClient, url: str) -> bool:
    """Whether a server of ours answers 200 there."""
    try:
        return (await client.get(url)).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _passed(pairs: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Without those for one connection: the usual ones, and those that `Connection` names."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    dropped = NOT_PASSED_ON | named
    return [(name, text) for name, text in pairs if name.lower() not in dropped]


async def _streamed(answer: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()
