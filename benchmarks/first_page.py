"""How soon a page's headline figures stand in a browser, once with a full cache, once with none.

Tracker and dashboards run as `ates serve` starts them and have shown each page before. A real
chromium opens pages by their address, signed in: one that has shown them before, as a manager's has
every morning, and one that knows its sign-in alone.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ViewportSize, sync_playwright

from benchmarks.ratio import Ratio
from benchmarks.sessions import PASSWORD, add_people, environment_of, growing_lake, served
from benchmarks.signing_in import sign_in, way_in_of

PATHS = ("", "account", "company", "analytics", "operations")
FIGURE = "[data-testid=stMetricValue]"
TURNS = 7
FULL_SECONDS_ALLOWED = 1.0
EMPTY_SECONDS_ALLOWED = 2.0
FIGURE_MILLISECONDS_MAX = 60_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DESK: ViewportSize = {"width": 1280, "height": 900}
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def run() -> list[Ratio]:
    """Seconds from asking for a page to its first figure, the slowest page of each kind."""
    with tempfile.TemporaryDirectory(prefix="ates-bench-first-page-") as folder:
        environment = environment_of(Path(folder))
        with growing_lake(environment), served(environment):
            url = environment["DASHBOARDS_URL"]
            admins = [email for page, email in add_people(environment) if page == "operations"]
            cookies = sign_in(way_in_of(url), admins[0], PASSWORD)
            with sync_playwright() as playwright:
                # With a profile on disk: without one a browser keeps no compiled scripts.
                known = playwright.chromium.launch_persistent_context(
                    Path(folder) / "profile", executable_path=CHROMIUM, args=QUIET, viewport=DESK
                )
                full = _with_full_cache(known, url, cookies)
                known.close()
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
                empty = _with_empty_cache(browser, url, cookies)
                browser.close()
    ratios = []
    for name, costs, allowed in (
        ("full", full, FULL_SECONDS_ALLOWED), ("empty", empty, EMPTY_SECONDS_ALLOWED),
    ):  # fmt: skip
        for path, seconds in costs.items():
            ratios.append(
                Ratio(
                    name=f"first figures of {path or 'home'}, the browser's cache {name}",
                    ours=seconds, baseline=allowed, ratio=allowed / seconds, goal=1, unit="s",
                )
            )  # fmt: skip
    return ratios


def _with_full_cache(known: BrowserContext, url: str, cookies: dict[str, str]) -> dict[str, float]:
    """Medians by path, of a browser that has shown all of them."""
    _sign_in(known, url, cookies)
    for path in PATHS * 2:
        _seconds(known, f"{url}/{path}")
    return {
        path: statistics.median(_seconds(known, f"{url}/{path}") for _ in range(TURNS))
        for path in PATHS
    }


def _with_empty_cache(browser: Browser, url: str, cookies: dict[str, str]) -> dict[str, float]:
    """Medians by path, each time of a browser that has shown nothing."""

    def seconds(path: str) -> float:
        stranger = browser.new_context(viewport=DESK)
        _sign_in(stranger, url, cookies)
        try:
            return _seconds(stranger, f"{url}/{path}")
        finally:
            stranger.close()

    return {path: statistics.median(seconds(path) for _ in range(TURNS)) for path in PATHS}


def _sign_in(context: BrowserContext, url: str, cookies: dict[str, str]) -> None:
    context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
    )


def _seconds(context: BrowserContext, address: str) -> float:
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(FIGURE, timeout=FIGURE_MILLISECONDS_MAX)
    seconds = time.perf_counter() - begun
    page.close()
    return seconds
