"""What every HTTP request passes before Streamlit sees it: no strangers' files, safe headers."""

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards.access import TrackerSilentError, viewer_of
from dashboards.navigation import PATHS
from dashboards.settings import DashboardSettings

# Streamlit hands out files of `/media` to whoever knows their name.
GUARDED = "/media/"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Front:
    """ASGI middleware; web sockets pass, as Streamlit checks their origin itself."""

    def __init__(self, app: ASGIApp, settings: DashboardSettings) -> None:
        """Stand before an application."""
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, redirect, or pass on and add our headers to the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = await self._own_answer(scope)
        await (answer or self.app)(scope, receive, _with_headers(send))

    async def _own_answer(self, scope: Scope) -> ASGIApp | None:
        path: str = scope["path"]
        if path.startswith(GUARDED):
            return await _refusal(HTTPConnection(scope))
        is_page = "text/html" in Headers(scope=scope).get("accept", "")
        if is_page and path.rstrip("/").count("/") == 1 and path.strip("/") not in PATHS:
            return RedirectResponse(f"/?unknown={quote(path.strip('/'))}", 302)
        return None


async def _refusal(connection: HTTPConnection) -> ASGIApp | None:
    """The answer to somebody who may not have the file."""
    try:
        viewer = await run_in_threadpool(viewer_of, connection.cookies)
    except TrackerSilentError:
        return PlainTextResponse("Your rights cannot be checked right now.", 503)
    return None if viewer else PlainTextResponse("Sign in first.", 403)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return send_with_headers
