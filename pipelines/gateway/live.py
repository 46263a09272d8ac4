"""The web socket by which pages follow runs: passed on message by message, as long as one may."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from pipelines.gateway.documents import NotForViewersError, reading_message
from pipelines.gateway.rules import ACCESS_HEADER, Access

SOCKETS_MAX = 200
OPEN_SECONDS_MAX = 5.0
CLOSE_SECONDS_MAX = 2.0
# A sign-out or a role taken away ends a socket within so long.
CHECK_SECONDS = 3.0
FROM_DAGSTER_BYTES_MAX = 64 * 1024 * 1024
REFUSED, GONE, TRY_LATER = 1008, 1011, 1013

Rewrite = Callable[[str], str]


class Sockets:
    """Counts the open ones, for the process."""

    def __init__(self) -> None:
        self._count = 0

    async def serve(
        self,
        browser: WebSocket,
        port: int,
        access: Access,
        may_stay: Callable[[], Awaitable[bool]],
    ) -> None:
        """Join the browser with Dagster until either leaves, or `may_stay` says no.

        A viewer's message that does not only read ends it.
        """
        if self._count >= SOCKETS_MAX:
            await browser.close(TRY_LATER)
            return
        self._count += 1
        try:
            await _join(browser, port, access, may_stay)
        except (OSError, WebSocketDisconnect):
            pass  # the browser left before it was joined
        finally:
            self._count -= 1


async def _join(
    browser: WebSocket, port: int, access: Access, may_stay: Callable[[], Awaitable[bool]]
) -> None:
    rewrite = reading_message if access is Access.READ else str
    try:
        dagster = await connect(
            f"ws://127.0.0.1:{port}/graphql",
            subprotocols=[Subprotocol(name) for name in browser.scope["subprotocols"]],
            additional_headers={ACCESS_HEADER: access.value},
            max_size=FROM_DAGSTER_BYTES_MAX,
            open_timeout=OPEN_SECONDS_MAX,
            close_timeout=CLOSE_SECONDS_MAX,
            compression=None,
            proxy=None,
        )
    except (OSError, TimeoutError, WebSocketException):
        await browser.close(TRY_LATER)
        return
    async with dagster:
        await browser.accept(dagster.subprotocol)
        code = await _first_end(
            _upwards(browser, dagster, rewrite), _downwards(dagster, browser), _watch(may_stay)
        )
    with contextlib.suppress(RuntimeError):  # the browser may be the one that left
        await browser.close(code)


async def _first_end(*ways: Coroutine[Any, Any, int]) -> int:
    """The close code of whichever ends first; the others are ended."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return min(task.result() for task in done)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _upwards(browser: WebSocket, dagster: ClientConnection, rewrite: Rewrite) -> int:
    try:
        while True:
            await dagster.send(rewrite(await browser.receive_text()))
    except NotForViewersError:
        return REFUSED
    except KeyError:  # not a text
        return REFUSED
    except (WebSocketDisconnect, ConnectionClosed):
        return GONE


async def _downwards(dagster: ClientConnection, browser: WebSocket) -> int:
    try:
        async for message in dagster:
            assert isinstance(message, str), "the protocol is JSON"
            await browser.send_text(message)
    except (WebSocketDisconnect, ConnectionClosed, RuntimeError):
        pass
    return GONE


async def _watch(may_stay: Callable[[], Awaitable[bool]]) -> int:
    while await may_stay():
        await asyncio.sleep(CHECK_SECONDS)
    return REFUSED
