"""What every HTTP request passes before Streamlit sees it.

It keeps one host name (a sign-in under another would be lost), takes people back to the page they
asked for before they signed in, gives `/media` to nobody without a valid sign-in, and adds headers.
"""

import html
from urllib.parse import quote, unquote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from dashboards.access import TrackerSilentError, viewer_of
from dashboards.languages import _, language_of, speaking
from dashboards.navigation import PAGE_PATHS, PATHS
from dashboards.settings import DashboardSettings
from dashboards.shell import begin_page

HEALTH, LOGIN, CALLBACK = "/_stcore/health", "/auth/login", "/oauth2callback"
# Streamlit hands out files of `/media` to whoever knows their name.
GUARDED = "/media/"
RETURN_COOKIE, TRIES_COOKIE = "ates_dashboards_return", "ates_dashboards_tries"
RETURN_SECONDS = 600  # to type a password in
# So many sign-ins within so many seconds are a circle, not a person.
TRIES_MAX, TRIES_SECONDS = 4, 20
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
        self.home = urlsplit(settings.dashboards_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on and add our headers to the answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = await self._own_answer(request)
        await (answer or self.app)(scope, receive, self._with_headers(request, send))

    async def _own_answer(self, request: Request) -> Response | None:
        path = request.url.path
        if request.headers.get("host") != self.home.netloc and path != HEALTH:
            home = f"{self.home.scheme}://{self.home.netloc}{path}"
            query = request.url.query
            return RedirectResponse(f"{home}?{query}" if query else home, 307)
        if path.startswith(GUARDED):
            return await _refusal(request)
        if path == CALLBACK and not request.query_params:
            return RedirectResponse("/", 302)  # the provider's way back from a sign-out
        if path == LOGIN and _tries(request) >= TRIES_MAX:
            return _circle(request)
        is_page = "text/html" in request.headers.get("accept", "")
        if is_page and path.rstrip("/").count("/") == 1 and path.strip("/") not in PATHS:
            return RedirectResponse(f"/?unknown={quote(path.strip('/'))}", 302)
        if is_page and request.method == "GET" and path.lstrip("/") in PAGE_PATHS:
            return begin_page(request, f"{self.home.scheme}://{self.home.netloc}")
        return None

    def _with_headers(self, request: Request, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if request.url.path == LOGIN:
                    self._remember_page(request, headers)
                elif request.url.path == CALLBACK:
                    _return_to_page(request, headers)
            await send(message)

        return send_with_headers

    def _remember_page(self, request: Request, headers: MutableHeaders) -> None:
        """Keep which page somebody wanted, and how often they have just tried."""
        _keep(headers, TRIES_COOKIE, str(_tries(request) + 1), TRIES_SECONDS)
        page = urlsplit(request.headers.get("referer", ""))
        if page.netloc == self.home.netloc and page.path.strip("/") in PATHS:
            query = f"?{page.query}" if page.query else ""
            kept = quote(f"/{page.path.strip('/')}{query}", safe="")
            _keep(headers, RETURN_COOKIE, kept, RETURN_SECONDS)


async def _refusal(request: Request) -> Response | None:
    """The answer to somebody who may not have the file."""
    try:
        viewer = await run_in_threadpool(viewer_of, request.cookies)
    except TrackerSilentError:
        return PlainTextResponse("Your rights cannot be checked right now.", 503)
    return None if viewer else PlainTextResponse("Sign in first.", 403)


def _return_to_page(request: Request, headers: MutableHeaders) -> None:
    """After a sign-in that succeeded, go where somebody wanted to go."""
    is_signed_in = any(
        each.startswith(f"{USER_COOKIE_NAME}=") for each in headers.getlist("set-cookie")
    )
    if is_signed_in and (page := request.cookies.get(RETURN_COOKIE)):
        headers["location"] = f"/{unquote(page).lstrip('/')}"
        _keep(headers, RETURN_COOKIE, "", 0)


def _keep(headers: MutableHeaders, name: str, value: str, seconds: int) -> None:
    headers.append(
        "set-cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
    )


def _tries(request: Request) -> int:
    tries = request.cookies.get(TRIES_COOKIE, "")
    return int(tries) if tries.isdecimal() and len(tries) < TRIES_MAX else 0


def _circle(request: Request) -> Response:
    """Instead of sending a browser round and round."""
    with speaking(language_of(request)) as language:
        text, link = _("Signing in does not succeed."), _("Try again in a moment")
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><title>UberPopug</title>'
        f'<main><h1>{html.escape(text)}</h1><p><a href="/">{html.escape(link)}</a></p></main>',
        503,
        {"Retry-After": str(TRIES_SECONDS)},
    )
