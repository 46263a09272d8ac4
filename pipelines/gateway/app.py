"""The gate as an ASGI application; this is the only place where its parts are put together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from contracts import logs
from pipelines.gateway import documents, pages, passing
from pipelines.gateway.live import REFUSED, TRY_LATER, Sockets
from pipelines.gateway.provider import CALLBACK, Provider, ProviderSilentError, SignInRefusedError
from pipelines.gateway.rules import Access, Person, access_of
from pipelines.gateway.sessions import (
    ARRIVAL_SECONDS,
    ARRIVALS_MAX,
    SESSION_SECONDS,
    SESSIONS_MAX,
    Arrival,
    Kept,
    Session,
)
from pipelines.gateway.settings import GatewaySettings

COOKIE, ARRIVAL_COOKIE = "ates_dagster", "ates_dagster_arrival"
READ_METHODS = ("GET", "HEAD")
METHODS = (*READ_METHODS, "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
GRAPHQL = "/graphql"
DESTINATION_LENGTH_MAX = 2_000

logger = logging.getLogger("ates.gate")


class Gate:
    """What the requests share: settings, provider, sessions, the connection to Dagster."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.http = passing.new_client()
        self.provider = Provider(settings, self.http)
        self.sessions: Kept[Session] = Kept(SESSIONS_MAX, SESSION_SECONDS)
        self.arrivals: Kept[Arrival] = Kept(ARRIVALS_MAX, ARRIVAL_SECONDS)
        self.sockets = Sockets()

    async def pass_through(self, request: Request) -> Response:
        """Everything that is Dagster's: let in, check, pass on."""
        if refusal := self._misdirected(request):
            return refusal
        session = self.sessions.find(request.cookies.get(self._named(COOKIE)))
        person = await self.provider.person_of(session) if session else None
        if person is None:
            self.sessions.drop(request.cookies.get(self._named(COOKIE)))
            return await self._to_provider(request)
        access = access_of(person, self.settings.viewers)
        if access is Access.NONE:
            return _not_for(request, person)
        if request.url.path == GRAPHQL and request.method in READ_METHODS and request.url.query:
            # Dagster would run it, mutations too, and any site can make a browser send a GET.
            return pages.answer(request, 405, "Not like that", "Send GraphQL by POST.")
        body = await passing.read_body(request)
        if request.method not in READ_METHODS:
            if access is Access.READ:
                body = _for_viewer(request, body)
            if names := documents.mutations(body):
                logger.info(logs.line("dagster_changed", actor=person.sub, mutations=names))
        port = self.settings.dagster_web_port
        return await passing.pass_on(self.http, request, body, port, access)

    async def follow(self, socket: WebSocket) -> None:
        """The web socket: from our own pages, for those who may at least look."""
        session = self.sessions.find(socket.cookies.get(self._named(COOKIE)))
        if session is None or socket.headers.get("origin") != self.settings.origin:
            await socket.close(REFUSED)
            return
        try:
            access = await self._access(session)
        except ProviderSilentError:
            await socket.close(TRY_LATER)
            return
        if access is Access.NONE:
            await socket.close(REFUSED)
            return

        async def may_stay() -> bool:
            try:
                return await self._access(session) is access and not session.is_over
            except ProviderSilentError:
                return False

        await self.sockets.serve(socket, self.settings.dagster_web_port, access, may_stay)

    async def come_back(self, request: Request) -> Response:
        """The provider has sent the browser back."""
        arrival = self.arrivals.drop(request.cookies.get(self._named(ARRIVAL_COOKIE)))
        if arrival is None:
            text = "This sign-in was begun too long ago, or in another browser."
            return pages.answer(request, 400, "Sign in again", text)
        session = await self.provider.take_back(request, arrival)
        response = RedirectResponse(arrival.destination, 303)
        self._set_cookie(response, COOKIE, self.sessions.keep(session))
        response.delete_cookie(self._named(ARRIVAL_COOKIE), secure=self.settings.is_https)
        logger.info(logs.line("dagster_signed_in", actor=session.person.sub))
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session here and at the provider, which ends it everywhere."""
        if refusal := self._misdirected(request):
            return refusal
        session = self.sessions.drop(request.cookies.get(self._named(COOKIE)))
        response = RedirectResponse("/", 303)
        if session is not None:
            session.is_over = True
            response = RedirectResponse(await self.provider.farewell(session), 303)
            logger.info(logs.line("dagster_signed_out", actor=session.person.sub))
        response.delete_cookie(self._named(COOKIE), secure=self.settings.is_https)
        return response

    async def show_person(self, request: Request) -> Response:
        """Who one is here, what one may do, and the way out."""
        if refusal := self._misdirected(request):
            return refusal
        session = self.sessions.find(request.cookies.get(self._named(COOKIE)))
        person = await self.provider.person_of(session) if session else None
        if person is None:
            return await self._to_provider(request)
        access = access_of(person, self.settings.viewers)
        words = {Access.FULL: "do everything", Access.READ: "look at everything"}
        text = f"{person.name}, {person.role}: you may {words.get(access, 'not look')} here."
        return pages.answer(request, 200, "Signed in", text, pages.SIGN_OUT + pages.TO_DAGSTER)

    async def ready(self, _request: Request) -> Response:
        """200 when Dagster's web server answers."""
        url = f"http://127.0.0.1:{self.settings.dagster_web_port}/server_info"
        answer = await passing.look(self.http, url)
        if not answer:
            return JSONResponse({"status": "Dagster's web server does not answer"}, 503)
        return JSONResponse({"status": "ready"})

    async def _access(self, session: Session) -> Access:
        person = await self.provider.person_of(session)
        return access_of(person, self.settings.viewers) if person else Access.NONE

    def _misdirected(self, request: Request) -> Response | None:
        """For requests under another host's name, and for changes asked for by another's page."""
        if request.method in READ_METHODS:
            if request.headers.get("host") == urlsplit(self.settings.origin).netloc:
                return None
            return RedirectResponse(f"{self.settings.origin}{_target(request)}", 307)
        origin = request.headers.get("origin")
        if origin == self.settings.origin:
            return None
        logger.warning(logs.line("foreign_origin_refused", origin=origin, path=request.url.path))
        return pages.answer(request, 403, "Foreign page", "The request comes from another site.")

    async def _to_provider(self, request: Request) -> Response:
        if request.method != "GET" or not pages.wants_page(request):
            return pages.answer(request, 401, "Not signed in", "Load the page again to sign in.")
        destination = _target(request)
        is_short = len(destination) <= DESTINATION_LENGTH_MAX
        arrival = Arrival(destination=destination if is_short else "/")
        response = await self.provider.send(request, arrival)
        self._set_cookie(response, ARRIVAL_COOKIE, self.arrivals.keep(arrival))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _named(self, cookie: str) -> str:
        """On https a name that browsers bind to our host and to https."""
        return f"__Host-{cookie}" if self.settings.is_https else cookie

    def _set_cookie(self, response: Response, name: str, text: str) -> None:
        response.set_cookie(
            self._named(name), text, httponly=True, samesite="lax", secure=self.settings.is_https
        )


def create_app(settings: GatewaySettings) -> Starlette:
    """The gate under these settings."""
    gate = Gate(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with gate.http:
            yield

    return Starlette(
        routes=[
            Route(CALLBACK, gate.come_back),
            Route("/auth/logout", gate.sign_out, methods=["POST"]),
            Route("/auth/ready", gate.ready),
            Route("/auth", gate.show_person),
            WebSocketRoute(GRAPHQL, gate.follow),
            Route("/{path:path}", gate.pass_through, methods=METHODS),
        ],
        exception_handlers={
            ProviderSilentError: _provider_silent,
            SignInRefusedError: _sign_in_refused,
            ClientDisconnect: _gone,
            documents.NotForViewersError: _not_for_viewers,
            passing.DagsterSilentError: _dagster_silent,
            passing.TooLargeError: _too_large,
        },
        lifespan=lifespan,
    )


def _target(request: Request) -> str:
    """Path and query as they were asked for; never another host's."""
    path = request.scope["raw_path"].decode("ascii", "replace").lstrip("/\\")
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/{path}{query}"


def _for_viewer(request: Request, body: bytes) -> bytes:
    is_json = request.headers.get("content-type", "").partition(";")[0] == "application/json"
    is_encoded = "content-encoding" in request.headers
    # Of a POST in JSON, Dagster reads the body alone; pages name the operation in the query.
    if request.method != "POST" or request.url.path != GRAPHQL or not is_json or is_encoded:
        raise documents.NotForViewersError("a change that is no GraphQL")
    return documents.reading_body(body)


def _not_for(connection: HTTPConnection, person: Person) -> Response:
    logger.info(logs.line("dagster_refused", actor=person.sub, role=person.role))
    text = (
        f"You are signed in as {person.name}, {person.role}. Dagster is for admins, and for those "
        "whom they have named as viewers."
    )
    return pages.answer(connection, 403, "Not for you", text, pages.SIGN_OUT)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _not_for_viewers(request: Request, error: Exception) -> Response:
    text = f"You may look at everything here and change nothing ({error})."
    return pages.answer(request, 403, "You may only look", text)


async def _provider_silent(request: Request, error: Exception) -> Response:
    logger.warning(logs.line("provider_silent", cause=error))
    text = "The task tracker, where people sign in, does not answer. Please try again in a moment."
    return pages.answer(request, 503, "Sign-in is not possible", text)


async def _sign_in_refused(request: Request, error: Exception) -> Response:
    logger.warning(logs.line("sign_in_refused", cause=error))
    return pages.answer(request, 400, "Sign in again", "The sign-in did not come to its end.")


async def _dagster_silent(request: Request, error: Exception) -> Response:
    logger.warning(logs.line("dagster_silent", cause=error))
    text = "Dagster's web server does not answer. It is restarted by itself; please try again."
    return pages.answer(request, 503, "Dagster is away", text)


async def _too_large(request: Request, _error: Exception) -> Response:
    text = f"A request may hold {passing.BODY_BYTES_MAX} bytes."
    return pages.answer(request, 413, "Too large", text)
