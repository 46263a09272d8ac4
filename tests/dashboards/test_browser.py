"""The pages in a real browser, served the way `ates` serves them, behind the tracker's sign-in."""

import csv
import io
import os
import re
import subprocess
import sys
from decimal import Decimal
from urllib.parse import urlsplit

import openpyxl
import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.axe import violations
from tests.dashboards.browsing import PHONE, Visitors, type_password
from tests.dashboards.tracker import Tracker

# What Streamlit itself does wrong: axe's rule, and what it is.
ALLOWED = {
    "aria-allowed-attr": "a required date says so on an element that may not",
    "target-size": "the parts of a date are smaller than a finger",
    "color-contrast": "captions are drawn in the text's colour at 60 %, whatever the theme says",
    "heading-order": "a subheader is an h3 right below the title's h1",
}
BACKGROUND = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
DARK = "rgb(16, 23, 20)"
WIDTHS = """[document.documentElement, document.querySelector("[data-testid=stMain]")].map(
    each => each.scrollWidth)"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def visitors(chromium: Browser, served: str, tracker: Tracker) -> Visitors:
    """Everybody who has signed in once."""
    return Visitors(chromium, served, tracker)


def drawn(page: Page) -> None:
    """Wait until nothing on the page is still a placeholder."""
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")


def broken(page: Page) -> list[str]:
    """Rules of accessibility that our part of the page breaks."""
    return [line for line in violations(page) if line.partition(":")[0] not in ALLOWED]


@pytest.mark.parametrize(
    ("role", "path", "figure"),
    [
        ("worker", "account", "\u221212.00"),
        ("admin", "", "\u22129.50"),
        ("admin", "company", "\u22129.50"),
        ("admin", "analytics", "Open tasks by age"),
        ("admin", "operations", "1 check does not hold."),
    ],
    ids=["account", "home", "company", "analytics", "operations"],
)
def test_a_page_keeps_to_itself_to_everybodys_eyes_and_to_a_phone(
    visitors: Visitors, role: str, path: str, figure: str
) -> None:
    hosts, errors = set(), []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} {message.location['url']}")

    with visitors.signed_in(role, color_scheme="light") as context:
        context.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        context.on("console", note)
        page = visitors.open(context, path, figure)
        drawn(page)
        assert broken(page) == []
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(f"{BACKGROUND} === '{DARK}'")
        assert broken(page) == []
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        drawn(page)
        # Drawings follow the window a moment later; one that never does ends the test here.
        page.wait_for_function(f"Math.max(...{WIDTHS}) <= {PHONE['width']}")
        assert max(page.evaluate(WIDTHS)) <= PHONE["width"]

    assert hosts - {""} == {urlsplit(visitors.served).netloc}
    assert errors == []


def test_a_link_survives_the_sign_in_and_another_name_of_the_host(visitors: Visitors) -> None:
    with visitors.stranger() as context:
        other = visitors.served.replace("127.0.0.1", "localhost")
        page = visitors.sign_in(context, "admin", f"{other}/company?span=7", "Earned today")

        assert page.url == f"{visitors.served}/company?span=7"
        expect(page.get_by_role("radio", name="7 days")).to_be_checked()


def test_one_password_opens_both_and_one_sign_out_closes_both(visitors: Visitors) -> None:
    with visitors.stranger() as context:
        tracker_page = context.new_page()
        tracker_page.goto(f"{visitors.tracker.url}/login")
        type_password(tracker_page, "admin")
        tracker_page.wait_for_url(f"{visitors.tracker.url}/**")
        tracker_page.wait_for_load_state()
        # Nobody is asked for a password here.
        page, second = (visitors.open(context, "company", "Earned today") for _ in range(2))

        page.get_by_role("button", name="Sign out").click()

        visitors.at_the_form(page)
        visitors.at_the_form(second)
        tracker_page.goto(visitors.tracker.url)
        visitors.at_the_form(tracker_page)


def test_a_sign_in_that_ended_is_renewed_unasked_and_a_sign_out_at_the_tracker_is_felt(
    visitors: Visitors,
) -> None:
    with visitors.stranger() as context:
        page = visitors.sign_in(context, "worker", "account?span=90", "Balance now")
        visitors.let_expire(context)

        page.reload()
        page.get_by_text("Balance now").wait_for()

        assert page.url == f"{visitors.served}/account?span=90"
        tracker_page = context.new_page()
        tracker_page.goto(visitors.tracker.url)  # the other order of the two: no password either
        assert "/login" not in tracker_page.url
        requests.delete(
            f"{visitors.tracker.url}/api/v1/session",
            cookies={each["name"]: each["value"] for each in context.cookies(visitors.tracker.url)},
            timeout=10,
        ).raise_for_status()
        visitors.at_the_form(page)


def test_a_role_taken_away_is_felt_by_an_open_page(visitors: Visitors) -> None:
    tracker = visitors.tracker
    with visitors.stranger() as context:
        page = visitors.sign_in(context, "accountant", "company", "Earned today")
        tracker.change_role("accountant", "worker")
        try:
            visitors.at_the_form(page)  # a new role is a new sign-in
            type_password(page, "accountant")
            page.get_by_text("this page is for accountant, admin").wait_for()
        finally:
            tracker.change_role("accountant", "accountant")
            tracker.tokens.pop("accountant", None)


def test_an_unknown_page_is_told_by_name_and_a_chosen_language_stays(visitors: Visitors) -> None:
    with visitors.signed_in("worker", locale="ru-RU") as context:
        page = visitors.open(context, "salaries", "«salaries»")
        page.get_by_role("link", name="Подробнее: Мой счёт").click()
        page.wait_for_url("**/account")  # Home shows the balance, too
        page.get_by_text("Баланс сейчас").wait_for()

        page.get_by_role("link", name="English").click()
        page.get_by_text("Balance now").wait_for()

        assert urlsplit(page.url).path == "/account"
        assert page.get_by_text("\u221212.00").first.is_visible()


def test_figures_on_the_screen_are_those_of_its_files_and_of_the_export(
    visitors: Visitors, shared_lake: dict[str, str]
) -> None:
    with visitors.signed_in("admin") as context:
        page = visitors.open(context, "company?span=7", "In all:")
        sentence = page.get_by_text("In all:").first.inner_text()
        files = {}
        for kind in ("CSV", "XLSX"):
            with page.expect_download() as download:
                page.get_by_role("link", name=kind).first.click()
            files[kind] = download.value.path().read_bytes()

    shown = re.search(r"= (\S+) earned", sentence)
    assert shown is not None
    earned = Decimal(shown[1].replace("\u2212", "-").replace(",", ""))
    days = list(csv.DictReader(io.StringIO(files["CSV"].decode(), newline="")))
    assert sum(Decimal(day["Earnings"]) for day in days) == earned
    sheet = openpyxl.load_workbook(io.BytesIO(files["XLSX"])).active
    assert sheet is not None
    assert sum(row[3] for row in sheet.iter_rows(min_row=2, values_only=True)) == earned
    exported = _exported(shared_lake)
    assert sum(cents for _day, cents in exported) == earned * 100
    assert {day for day, _cents in exported} <= {day["Day"] for day in days}


def _exported(shared_lake: dict[str, str]) -> list[tuple[str, int]]:
    """Day and cents of what `ates export` says of the company's account."""
    command = [sys.executable, "-m", "ates.cli", "export", "postings"]
    environment = {
        **os.environ, **shared_lake, "DAGSTER_DATABASE_URL": shared_lake["LAKE_CATALOG_URL"],
    }  # fmt: skip
    text = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return [
        (row["business_date"], int(row["amount_cents"]))
        for row in csv.DictReader(io.StringIO(text.stdout))
        if row["account"] == "company"
    ]


def test_files_of_pages_are_nobodys_without_a_sign_in(served: str, tracker: Tracker) -> None:
    url = f"{served}/media/abc.csv"
    made_up = {name: f"{value}x" for name, value in tracker.cookies_of("worker").items()}

    answers = [
        requests.get(url, cookies=cookies, timeout=10)
        for cookies in ({}, made_up, tracker.cookies_of("worker"))
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 404]
    assert answers[0].headers["X-Frame-Options"] == "DENY"
