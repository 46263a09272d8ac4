"""The company page in a real browser, served the way `ates` serves it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.dashboards.conftest import Tracker

START_SECONDS_MAX = 60
PAGE_MILLISECONDS_MAX = 60_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESK = {"width": 1280, "height": 1600}
PHONE = {"width": 390, "height": 844}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; .ci/run installs it"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def opened(browser: Browser, url: str, cookie: str, **options: object) -> tuple[Page, set[str]]:
    """The company page once its figures are there, and the hosts the browser spoke to."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.add_cookies([{"name": "ates_session", "value": cookie, "url": url}])
    page = context.new_page()
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(f"{url}/company", timeout=PAGE_MILLISECONDS_MAX)
    page.get_by_text("Earned today").wait_for(timeout=PAGE_MILLISECONDS_MAX)
    page.locator("canvas, svg.marks").first.wait_for(timeout=PAGE_MILLISECONDS_MAX)
    return page, hosts - {""}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_its_figures_and_asks_no_other_host(
    browser: Browser, served: str, tracker: Tracker, tmp_path: Path, scheme: str
) -> None:
    page, hosts = opened(
        browser, served, tracker.sign_in("admin"), color_scheme=scheme, viewport=DESK
    )

    page.screenshot(path=tmp_path / f"company-{scheme}.png", full_page=True)
    assert hosts == {urlsplit(served).netloc}
    assert page.get_by_text("\u22129.50").first.is_visible()
    assert page.get_by_text("2 days below zero").is_visible()
    links = page.get_by_test_id("stSidebarNavLink").all_inner_texts()
    assert [link.splitlines()[-1] for link in links] == [
        "Home",
        "My account",
        "Company",
        "Analytics",
        "Operations",
    ]
    page.context.close()


def test_the_page_fits_a_phone(
    browser: Browser, served: str, tracker: Tracker, tmp_path: Path
) -> None:
    page, _ = opened(browser, served, tracker.sign_in("admin"), viewport=PHONE)

    page.screenshot(path=tmp_path / "company-phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.context.close()


def test_nobody_signed_in_is_led_to_the_tracker_under_the_same_host(
    browser: Browser, served: str, tracker: Tracker
) -> None:
    page = browser.new_page()
    url = served.replace("127.0.0.1", "localhost")
    page.goto(f"{url}/company", timeout=PAGE_MILLISECONDS_MAX)

    link = page.get_by_role("link", name="Sign in")
    link.wait_for(timeout=PAGE_MILLISECONDS_MAX)

    assert link.get_attribute("href") == f"http://localhost:{tracker.server.port}/login"
    page.close()
