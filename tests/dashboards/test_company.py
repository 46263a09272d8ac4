"""The company page: every figure against a ledger written by hand, and every way to see nothing."""

import datetime as dt
import json
from collections.abc import Callable
from uuid import UUID

import duckdb
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from dashboards import access, figures
from dashboards import lake as lake_door
from dashboards.access import Viewer
from dashboards.settings import check_options
from tests.dashboards.ledger import BEFORE, TODAY, WASH_TASK, YESTERDAY, Ledger
from tests.dashboards.tracker import Tracker
from warehouse.company import read_company
from warehouse.reading import ReadRefusedError

Open = Callable[..., AppTest]


def text_of(app: AppTest) -> str:
    """Everything the page says in words."""
    kinds = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def metrics(app: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def table(app: AppTest, index: int) -> list[tuple[object, ...]]:
    return [tuple(row) for row in app.dataframe[index].value.itertuples(index=False)]


def bars_of(app: AppTest) -> list[dict[str, object]]:
    """The rows behind the chart's bars, in the form in which Streamlit sends them."""
    spec = json.loads(app.get("vega_lite_chart")[0].proto.spec)
    rows: list[dict[str, object]] = spec["layer"][0]["data"]["values"]
    return rows


@pytest.mark.parametrize("role", ["accountant", "admin"])
def test_management_sees_the_earnings_of_today(open_page: Open, role: str) -> None:
    app = open_page(role)

    assert not app.exception
    assert metrics(app) == {
        "Earned today": ("\u22129.50", "20.50 more than yesterday"),
        "Fees charged today": ("12.00", ""),
        "Rewards credited today": ("21.50", ""),
        "Employees below zero now": ("2", "\u221220.50 in all"),
    }
    assert "12.00 in fees \u2212 21.50 in rewards = **\u22129.50** earned" in text_of(app)
    assert "Data as of" in text_of(app)
    assert "Nothing newer is waiting" in text_of(app)


def test_the_span_adds_up_its_days_and_is_compared_with_the_one_before(open_page: Open) -> None:
    text = text_of(open_page("admin"))

    assert (
        "In all: 57.00 in fees \u2212 61.50 in rewards = **\u22124.50** earned. "
        "2 days below zero" in text
    )
    assert "As many days before: **0.00** earned; the change is \u22124.50" in text
    assert "Paid out in these days: 25.00; before: 0.00" in text


def test_every_day_of_the_span_has_a_bar(open_page: Open) -> None:
    bars = bars_of(open_page("admin", span="7"))

    assert [bar["date"] for bar in bars] == [
        (TODAY - dt.timedelta(days=back)).isoformat() for back in range(6, -1, -1)
    ]
    assert [bar["height"] for bar in bars] == [0, 0, 0, 0, 35.0, -30.0, -9.5]
    assert [bar["detail3"] for bar in bars[-3:]] == ["closed", "closed", "open"]


def test_two_dates_of_ones_own_are_a_span(open_page: Open) -> None:
    app = open_page("admin", span="own")
    app.date_input(key="span-dates").set_value((BEFORE, YESTERDAY)).run()

    assert [bar["date"] for bar in bars_of(app)] == [BEFORE.isoformat(), YESTERDAY.isoformat()]
    assert "= **5.00** earned" in text_of(app)


def test_balances_begin_with_the_deepest_debt_and_say_it_in_words(open_page: Open) -> None:
    app = open_page("accountant")

    assert [(name, str(balance), state) for name, _, balance, state in table(app, -1)] == [
        ("Anna", "-12.00", "below zero"),
        ("Boris", "-8.50", "below zero"),
    ]
    app.text_input(key="employee").set_value("bor").run()
    assert [row[0] for row in table(app, -1)] == ["Boris"]


def test_a_closed_day_shows_its_certificate_its_payouts_and_its_entries(open_page: Open) -> None:
    app = open_page("accountant")

    text = text_of(app)
    assert app.date_input(key="day").value == YESTERDAY
    assert "Tracker and ledger agree" in text
    assert app.table[0].value.values.tolist() == [
        ["Events", "2", "2"], ["Fees", "10.00", "10.00"], ["Rewards", "40.00", "40.00"],
    ]  # fmt: skip
    assert "**25.00** paid to 1 employee" in text
    assert [(name, str(paid), mail) for name, paid, mail in table(app, 0)] == [
        ("Anna", "25.00", "none planned")
    ]
    assert "2 entries, \u221230.00 for the company" in text
    assert [(row[1], row[2], row[4], str(row[5])) for row in table(app, 1)] == [
        ("fee", "Boris", "task 8", "10.00"),
        ("reward", "Anna", "=1+1 wash the cage", "-40.00"),
    ]


def test_entries_of_a_day_follow_the_text(open_page: Open) -> None:
    app = open_page("accountant", text="popug-7")

    assert "1 entry, \u221240.00 for the company" in text_of(app)


def test_a_task_in_the_address_tells_its_story(open_page: Open, tracker: Tracker) -> None:
    app = open_page("accountant", task=str(WASH_TASK))

    text = text_of(app)
    assert r"POPUG\-7\: \=1\+1 wash the cage" in text
    assert "by Boris; fee 10.00 at each assignment, reward 20.00 on completion" in text
    assert "All of it together: \u221225.00 for the company" in text


def test_a_day_on_which_nobody_was_paid_says_so(open_page: Open) -> None:
    app = open_page("accountant", day=BEFORE.isoformat())

    assert "Nobody had a positive balance at its end, so nobody was paid" in text_of(app)


def test_an_open_day_says_that_it_may_change(open_page: Open) -> None:
    assert "is still open: its figures may change" in text_of(
        open_page("accountant", day=TODAY.isoformat())
    )


@pytest.mark.parametrize(
    "query",
    [
        {"day": "yesterday"}, {"day": "1999-01-01"}, {"span": "9 years"}, {"task": "PROD1"},
        {"task": str(UUID(int=7))}, {"page": "-1"}, {"span": "own", "span-dates": "a,b"},
    ],
)  # fmt: skip
def test_an_address_changed_by_hand_is_no_accident(open_page: Open, query: dict[str, str]) -> None:
    app = open_page("admin", **query)

    assert not app.exception
    assert metrics(app)["Fees charged today"] == ("12.00", "")


def test_figures_follow_the_ledger_while_it_is_written(
    open_page: Open, lake: duckdb.DuckDBPyConnection
) -> None:
    ledger = Ledger(lake)
    ledger.employee(1, "Anna")
    ledger.pay(YESTERDAY, {})  # a day that was closed before anything was charged
    ledger.write()
    app = open_page("admin")
    assert metrics(app)["Earned today"] == ("0.00", "the same as yesterday")

    ledger.fee(UUID(int=1), TODAY, 1_000)
    ledger.write()
    figures.forget_figures()

    assert metrics(app.run())["Earned today"] == ("10.00", "10.00 more than yesterday")


@pytest.mark.parametrize("role", ["worker", "manager"])
def test_others_see_a_sentence_and_no_figure(open_page: Open, role: str) -> None:
    app = open_page(role)

    assert f"Iris {role}, this page is for accountant, admin" in text_of(app)
    assert not app.metric
    assert not app.dataframe
    assert not app.exception


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


@pytest.mark.usefixtures("lake")
def test_an_empty_lake_says_what_will_come(open_page: Open) -> None:
    app = open_page("admin")

    assert "No events have reached the ledger yet" in text_of(app)
    assert not app.exception


@pytest.mark.usefixtures("no_lake")
def test_a_lake_that_nobody_has_made_is_a_sentence(open_page: Open) -> None:
    app = open_page("admin")

    assert "The ledger cannot be read right now" in text_of(app)
    assert not app.exception


def test_a_lake_that_went_down_is_a_sentence_and_comes_back(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, shared_lake: dict[str, str]
) -> None:
    app = open_page("admin")
    url = shared_lake["LAKE_READER_URL"]
    monkeypatch.setenv("LAKE_READER_URL", url.rpartition("/")[0] + "/no_such_database")
    figures.forget_figures()
    lake_door.forget()
    app.run()
    assert "The ledger cannot be read right now" in text_of(app)
    assert not app.metric

    monkeypatch.setenv("LAKE_READER_URL", url)

    assert app.run().metric


def test_the_home_page_greets_everyone_and_leads_management_on(open_page: Open) -> None:
    assert "Welcome, Iris worker" in text_of(open_page("worker", "home"))
    assert "Welcome, Iris admin" in text_of(open_page("admin", "home"))


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
