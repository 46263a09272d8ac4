"""A real browser for the pages' tests: visits of people who have signed in once for all of them."""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from streamlit.web.server.starlette.starlette_app_utils import (
    create_signed_value,
    decode_signed_value,
)
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from tests.dashboards.tracker import PASSWORD, Tracker

PAGE_MILLISECONDS_MAX = 30_000
# A sign-out or a role taken away: the role's memory, a page's refresh and the way to the tracker.
FELT_MILLISECONDS_MAX = 20_000
DESK = {"width": 1280, "height": 1600}
PHONE = {"width": 390, "height": 844}


class Visitors:
    """Browsers of people; each role types its password once, the first time it is needed."""

    def __init__(self, browser: Browser, served: str, tracker: Tracker) -> None:
        self.browser, self.served, self.tracker = browser, served, tracker
        self.states: dict[str, Any] = {}

    @contextlib.contextmanager
    def stranger(self, **options: object) -> Iterator[BrowserContext]:
        """A browser without a cookie."""
        settings: dict[str, Any] = {"viewport": DESK, "locale": "en-GB", **options}
        context = self.browser.new_context(**settings)
        context.set_default_timeout(PAGE_MILLISECONDS_MAX)
        try:
            yield context
        finally:
            context.close()

    @contextlib.contextmanager
    def signed_in(self, role: str, **options: object) -> Iterator[BrowserContext]:
        """A browser of somebody who has signed in."""
        if role not in self.states:
            with self.stranger() as context:
                self.sign_in(context, role, "", "Welcome")
                self.states[role] = context.storage_state()
        with self.stranger(storage_state=self.states[role], **options) as context:
            yield context

    def sign_in(self, context: BrowserContext, role: str, path: str, figure: str) -> Page:
        """A page of the dashboards once a figure stands there, by way of the form."""
        page = context.new_page()
        page.goto(path if "//" in path else f"{self.served}/{path}")
        type_password(page, role)
        page.get_by_text(figure).first.wait_for()
        return page

    def open(self, context: BrowserContext, path: str, figure: str) -> Page:
        """The same for who is signed in."""
        page = context.new_page()
        page.goto(f"{self.served}/{path}")
        page.get_by_text(figure).first.wait_for()
        return page

    def at_the_form(self, page: Page) -> None:
        """Wait until the page has left for the tracker's sign-in form."""
        page.wait_for_url(
            re.compile(re.escape(f"{self.tracker.url}/login")), timeout=FELT_MILLISECONDS_MAX
        )

    def let_expire(self, context: BrowserContext) -> None:
        """Turn the sign-in at the dashboards into one that has just ended."""
        [cookie] = [each for each in context.cookies() if each["name"] == USER_COOKIE_NAME]
        secret = self.tracker.cookie_secret
        user = json.loads(decode_signed_value(secret, USER_COOKIE_NAME, cookie["value"]) or b"")
        signed = create_signed_value(secret, USER_COOKIE_NAME, json.dumps({**user, "exp": 1}))
        cookie["value"] = signed.decode()
        context.add_cookies([cookie])  # type: ignore[list-item]


def type_password(page: Page, role: str) -> None:
    """Sign in at the tracker's form, wherever one was sent there from."""
    page.locator("input[name=email]").fill(f"{role}@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
