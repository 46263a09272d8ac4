"""A tracker that listens, and browsers of its employees."""

import contextlib
import threading
from collections.abc import Iterator

import msgspec
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from ops_api.app import create_app
from ops_api.auth.sessions import start_session
from ops_api.employees.models import Employee
from ops_api.settings import TrackerSettings
from ops_api.tasks.commands import create_task
from ops_api.web.guard import COOKIE
from ops_api.web.state import EXTENSION
from tests.ops_api.conftest import World

DESK = {"width": 1180, "height": 800}
PHONE = {"width": 390, "height": 844}
WAIT_MILLISECONDS_MAX = 30_000


class Site:
    """A tracker that listens, and browsers of its employees."""

    def __init__(self, browser: Browser, world: World, url: str) -> None:
        self.browser, self.world, self.url = browser, world, url
        self.contexts: list[BrowserContext] = []

    def context(self, employee: Employee | None, **options: object) -> BrowserContext:
        options = {"viewport": DESK, "locale": "en-GB", "timezone_id": "Asia/Tokyo"} | options
        context = self.browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(WAIT_MILLISECONDS_MAX)
        if employee is not None:
            with self.world.engine.begin() as connection:
                session_id = start_session(
                    connection, employee_id=employee.employee_id, now=self.world.clock()
                )
            context.add_cookies([{"name": COOKIE, "value": session_id, "url": self.url}])
        self.contexts.append(context)
        return context

    def open(self, employee: Employee | None, path: str = "/", **options: object) -> Page:
        page = self.context(employee, **options).new_page()
        page.goto(self.url + path)
        return page

    def tasks(self, creator: Employee, *titles: str) -> None:
        for title in titles:
            self.world.clock.forward(seconds=1)
            self.world.run(create_task, creator.employee_id, title=title)


@contextlib.contextmanager
def serving(browser: Browser, world: World, settings: TrackerSettings) -> Iterator[Site]:
    """The tracker on a free port, and browsers that are closed before it ends."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    url = f"http://127.0.0.1:{server.port}"
    own = msgspec.structs.replace(settings, tracker_url=url)
    server.app = app = create_app(own, world.engine, world.clock, world.rng)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site = Site(browser, world, url)
    yield site
    for context in site.contexts:
        context.close()
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions[EXTENSION].reader.dispose()
