"""Whose page and whose file is whose: every role at every page, menu and export."""

from collections.abc import Callable
from uuid import UUID

import pytest
import requests
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboards import access, figures, lake
from dashboards.access import Viewer
from dashboards.export_tables import EXPORTS
from dashboards.navigation import PAGES
from dashboards.settings import check_options
from tests.dashboards.ledger import BEFORE, TODAY, YESTERDAY
from tests.dashboards.test_company import text_of
from tests.dashboards.tracker import Tracker
from warehouse.account_entries import read_entries
from warehouse.company import read_company
from warehouse.reading import Reader, ReadRefusedError

Open = Callable[..., AppTest]
PAGES_OF = {
    "worker": {"home", "account"},
    "manager": {"home", "account"},
    "accountant": {"home", "account", "company"},
    "admin": {"home", "account", "company", "analytics", "operations"},
}
OWN_FILES = {"statement", "entries", "own-payouts"}
COMPANYS_FILES = {"company-days", "balances", "payouts", "company-entries"}
FILES_OF = {
    "worker": OWN_FILES,
    "manager": OWN_FILES,
    "accountant": OWN_FILES | COMPANYS_FILES,
    "admin": OWN_FILES | COMPANYS_FILES,
}
# A figure of each page that nobody sees who may not see the page.
FIGURES = {
    "home": "Balance now", "account": "Balance now", "company": "Fees charged today",
    "analytics": "Net below zero today", "operations": "Events behind",
}  # fmt: skip


@pytest.mark.parametrize("role", PAGES_OF)
def test_a_page_shows_its_figures_to_its_roles_alone(open_page: Open, role: str) -> None:
    for page, figure in FIGURES.items():
        app = open_page(role, page)
        shown = {metric.label for metric in app.metric}

        assert not app.exception, page
        assert (figure in shown) == (page in PAGES_OF[role]), page
        if page not in PAGES_OF[role]:
            assert (shown, len(app.dataframe), len(app.table)) == (set(), 0, 0), page
            assert f"Iris {role}, this page is for" in text_of(app), page


@pytest.mark.parametrize("role", PAGES_OF)
def test_home_leads_to_ones_own_pages_and_shows_their_figures_alone(
    open_page: Open, role: str
) -> None:
    app = open_page(role, "home")

    assert f"Welcome, Iris {role}" in text_of(app)
    links = {str(link.proto.page) for link in app.get("page_link")}
    assert links == {page.path for page in PAGES if page.name in PAGES_OF[role]}
    shown = {metric.label for metric in app.metric}
    assert ("Fees charged today" in shown) == (role in ("accountant", "admin"))
    assert ("Checks that do not hold" in shown) == (role == "admin")


@pytest.mark.parametrize("role", FILES_OF)
def test_an_export_is_its_roles_alone(served: str, tracker: Tracker, role: str) -> None:
    query = f"first={BEFORE}&last={TODAY}&day={YESTERDAY}"
    with requests.Session() as session:
        session.cookies.update(tracker.cookies_of(role))
        got = {
            name
            for name in EXPORTS
            if session.get(f"{served}/export/{name}.csv?{query}", timeout=30).status_code == 200
        }

    assert got == FILES_OF[role]
    assert set(EXPORTS) == FILES_OF["admin"], "an export nobody has thought of here"


def test_an_entry_of_somebody_else_is_nobodys_to_explain(open_page: Open, tracker: Tracker) -> None:
    anna = tracker.employee("worker")
    entries = lake.read(
        lambda each: read_entries(
            each, reader=Reader(role="worker", employee_id=anna), employee_id=anna,
            first=YESTERDAY, last=TODAY,
        )
    ).page  # fmt: skip

    app = open_page(
        "admin", "account", entry=str(entries[0].entry_id), on=entries[0].business_date.isoformat()
    )

    assert "There is no such entry on your account" in text_of(app)


def test_nobody_signed_in_is_taken_to_the_sign_in_page(open_page: Open) -> None:
    app = open_page(None)

    assert "You are being taken to the sign-in page" in text_of(app)
    assert not app.metric


@pytest.mark.parametrize("change", [{"exp": 1}, {"tokens": {"access": "made up"}}])
def test_an_expired_or_made_up_sign_in_is_nobodys(
    open_page: Open, change: dict[str, object]
) -> None:
    app = open_page("admin")
    app.user = {**app.user, **change}

    app.run()

    assert "You are being taken to the sign-in page" in text_of(app)
    assert not app.metric


def test_a_silent_tracker_keeps_the_last_role_for_a_minute_only(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("admin")
    monkeypatch.setenv("TRACKER_URL", "http://127.0.0.1:1")
    access._ask_provider.clear()

    assert app.run().metric
    monkeypatch.setattr(access, "SILENCE_SECONDS_MAX", -1)
    app.run()

    assert "The task tracker is not answering" in text_of(app)
    assert not app.metric


def test_a_tracker_that_was_silent_from_the_first_shows_no_figure(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_URL", "http://127.0.0.1:1")

    app = open_page("admin")

    assert "The task tracker is not answering" in text_of(app)
    assert not app.metric


@pytest.mark.usefixtures("surroundings")
def test_a_page_without_its_options_is_refused() -> None:
    config.set_option("runner.postScriptGC", True)

    with pytest.raises(RuntimeError, match=r"config\.toml was not read"):
        check_options()


@pytest.mark.usefixtures("surroundings")
def test_figures_refuse_who_may_not_know() -> None:
    viewer = Viewer(employee_id=UUID(int=1), name="Iris", role="worker")

    with pytest.raises(ReadRefusedError):
        figures.read_figures(read_company, viewer, local_date=TODAY, count_days=7)
