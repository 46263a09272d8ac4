"""The pages in a real browser, served the way `ates` serves them, behind the tracker's sign-in."""

import contextlib
import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.axe import violations
from tests.dashboards.tracker import PASSWORD, Tracker

PAGE_MILLISECONDS_MAX = 30_000
# A sign-out or a role taken away: the role's memory, a page's refresh and the way to the tracker.
FELT_MILLISECONDS_MAX = 20_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESK = {"width": 1280, "height": 1600}
PHONE = {"width": 390, "height": 844}
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What Streamlit itself does wrong: axe's rule, and what it is.
ALLOWED = {
    "aria-allowed-attr": "a required date says so on an element that may not",
    "target-size": "the parts of a date are smaller than a finger",
    "color-contrast": "captions are drawn in the text's colour at 60 %, whatever the theme says",
    "heading-order": "a subheader is an h3 right below the title's h1",
}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; .ci/run installs it"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def visit(browser: Browser, **options: object) -> Iterator[BrowserContext]:
    """A browser of somebody's own: no cookie yet."""
    settings: dict[str, object] = {"viewport": DESK, "locale": "en-GB", **options}
    context = browser.new_context(**settings)  # type: ignore[arg-type]
    context.set_default_timeout(PAGE_MILLISECONDS_MAX)
    try:
        yield context
    finally:
        context.close()


def type_password(page: Page, role: str) -> None:
    """Sign in at the tracker's form, wherever one was sent there from."""
    page.locator("input[name=email]").fill(f"{role}@example.com")
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def open_signed_in(context: BrowserContext, url: str, role: str, figure: str) -> Page:
    """A page of the dashboards once a figure stands there."""
    page = context.new_page()
    page.goto(url)
    type_password(page, role)
    page.get_by_text(figure).first.wait_for()
    return page


def at_the_form(page: Page, tracker: Tracker) -> None:
    """Wait until the page has left for the tracker's sign-in form."""
    page.wait_for_url(re.compile(re.escape(f"{tracker.url}/login")), timeout=FELT_MILLISECONDS_MAX)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("role", "path", "figure"),
    [("admin", "company", "\u22129.50"), ("worker", "account", "\u221212.00")],
)
def test_pages_keep_to_themselves_and_to_everybodys_eyes(
    browser: Browser, served: str, tracker: Tracker, tmp_path: Path,
    scheme: str, role: str, path: str, figure: str,
) -> None:  # fmt: skip
    with visit(browser, color_scheme=scheme) as context:
        hosts: set[str] = set()
        context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page = open_signed_in(context, f"{served}/{path}", role, figure)
        page.locator("canvas, svg.marks").first.wait_for()
        page.screenshot(path=tmp_path / f"{path}-{scheme}.png", full_page=True)

        assert hosts - {""} == {urlsplit(served).netloc, urlsplit(tracker.url).netloc}
        found = [line for line in violations(page) if line.partition(":")[0] not in ALLOWED]
        assert found == []


@pytest.mark.parametrize(("role", "path"), [("admin", "company"), ("worker", "account")])
def test_pages_fit_a_phone(
    browser: Browser, served: str, tracker: Tracker, role: str, path: str
) -> None:
    with visit(browser, viewport=PHONE) as context:
        page = open_signed_in(context, f"{served}/{path}", role, "Data as of")

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_link_survives_the_sign_in_and_another_name_of_the_host(
    browser: Browser, served: str, tracker: Tracker
) -> None:
    with visit(browser) as context:
        other = served.replace("127.0.0.1", "localhost")
        page = open_signed_in(context, f"{other}/company?span=7", "admin", "Earned today")

        assert page.url == f"{served}/company?span=7"
        expect(page.get_by_role("radio", name="7 days")).to_be_checked()


def test_one_password_opens_both_and_one_sign_out_closes_both(
    browser: Browser, served: str, tracker: Tracker
) -> None:
    with visit(browser) as context:
        tracker_page = context.new_page()
        tracker_page.goto(f"{tracker.url}/login")
        type_password(tracker_page, "admin")
        tracker_page.wait_for_url(f"{tracker.url}/**")
        tracker_page.wait_for_load_state()
        page, second = context.new_page(), context.new_page()
        for each in (page, second):
            each.goto(f"{served}/company")
            each.get_by_text("Earned today").wait_for()  # nobody was asked for a password

        page.get_by_role("button", name="Sign out").click()

        at_the_form(page, tracker)
        at_the_form(second, tracker)
        tracker_page.goto(tracker.url)
        at_the_form(tracker_page, tracker)


def test_a_sign_out_at_the_tracker_is_felt_by_an_open_page(
    browser: Browser, served: str, tracker: Tracker
) -> None:
    with visit(browser) as context:
        page = open_signed_in(context, f"{served}/account", "worker", "Balance now")
        tracker_page = context.new_page()
        tracker_page.goto(tracker.url)  # the other order of the two: no password here either
        assert "/login" not in tracker_page.url

        requests.delete(
            f"{tracker.url}/api/v1/session",
            cookies={each["name"]: each["value"] for each in context.cookies(tracker.url)},
            timeout=10,
        ).raise_for_status()

        at_the_form(page, tracker)


def test_a_role_taken_away_is_felt_by_an_open_page(
    browser: Browser, served: str, tracker: Tracker
) -> None:
    with visit(browser) as context:
        page = open_signed_in(context, f"{served}/company", "accountant", "Earned today")
        tracker.change_role("accountant", "worker")
        try:
            at_the_form(page, tracker)  # a new role is a new sign-in
            type_password(page, "accountant")
            page.get_by_text("this page is for accountant, admin").wait_for()
        finally:
            tracker.change_role("accountant", "accountant")
            tracker.tokens.pop("accountant", None)


def test_files_of_pages_are_nobodys_without_a_sign_in(served: str) -> None:
    answer = requests.get(f"{served}/media/abc.csv", timeout=10)

    assert answer.status_code == 403
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_an_unknown_page_is_told_by_name(browser: Browser, served: str, tracker: Tracker) -> None:
    with visit(browser) as context:
        page = open_signed_in(context, f"{served}/salaries", "worker", "There is no page")

        assert page.get_by_text("“salaries”").is_visible()


def test_a_chosen_language_stays(browser: Browser, served: str, tracker: Tracker) -> None:
    with visit(browser) as context:
        page = open_signed_in(context, f"{served}/account", "worker", "Balance now")
        page.get_by_role("link", name="Русский").click()
        page.get_by_text("Баланс сейчас").wait_for()

        assert urlsplit(page.url).path == "/account"
        assert page.get_by_text("\u221212,00").first.is_visible()


def test_figures_on_the_screen_are_those_of_the_export(
    browser: Browser, served: str, tracker: Tracker, shared_lake: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "ates.cli", "export", "postings"]
    environment = {
        **os.environ, **shared_lake, "DAGSTER_DATABASE_URL": shared_lake["LAKE_CATALOG_URL"],
    }  # fmt: skip
    text = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    company = [
        row for row in csv.DictReader(io.StringIO(text.stdout)) if row["account"] == "company"
    ]
    earned = Decimal(sum(int(row["amount_cents"]) for row in company)) / 100

    with visit(browser) as context:
        page = open_signed_in(context, f"{served}/company", "admin", "In all:")
        sentence = page.get_by_text("In all:").first.inner_text()

    shown = re.search(r"= (\S+) earned", sentence)
    assert shown is not None
    assert Decimal(shown[1].replace("\u2212", "-").replace(",", "")) == earned
