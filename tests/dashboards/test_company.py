"""The company page: every figure against a ledger written by hand, and every way to see nothing."""

import datetime as dt
import json
import logging
from collections.abc import Callable
from uuid import UUID

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import figures
from dashboards import lake as lake_door
from tests.dashboards.ledger import BEFORE, TODAY, WASH_TASK, YESTERDAY, Ledger
from tests.dashboards.tracker import Tracker

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
    assert [(one, count, str(fees), str(cents)) for one, count, fees, cents in table(app, 0)] == [
        ("Tracker", 2, "10.00", "40.00"),
        ("Ledger", 2, "10.00", "40.00"),
    ]
    assert "**25.00** paid to 1 employee" in text
    assert [(name, str(paid), mail) for name, paid, mail in table(app, 1)] == [
        ("Anna", "25.00", "none planned")
    ]
    assert "2 entries, \u221230.00 for the company" in text
    assert [(row[1], row[2], row[4], str(row[5])) for row in table(app, 2)] == [
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


def test_the_hour_that_comes_twice_counts_for_one_day(
    open_page: Open, lake: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSINESS_TIMEZONE", "Europe/Berlin")
    date = dt.date(2026, 10, 25)  # 3:00 in summer is 2:00 in winter
    ledger = Ledger(lake)
    anna = ledger.employee(1, "Anna")
    for hour, minute in ((0, 30), (1, 30), (22, 59)):
        at = dt.datetime.combine(date, dt.time(hour, minute), dt.UTC)
        assert figures.today_on_the_clock(at) == date
        ledger.fee(anna, date, 1_000, at=at)
    ledger.fee(anna, date + dt.timedelta(days=1), 700)
    ledger.write()

    app = open_page("admin", span="90", day=date.isoformat())

    assert "3 entries, 30.00 for the company" in text_of(app)
    assert [str(row[0])[-8:] for row in table(app, 0)] == ["23:59:00", "02:30:00", "02:30:00"]
    [bar] = [bar for bar in bars_of(app) if bar["date"] == date.isoformat()]
    assert bar["height"] == 30


@pytest.mark.usefixtures("lake")
def test_an_empty_lake_says_what_will_come_on_every_page(open_page: Open) -> None:
    for view in ("home", "account", "company", "analytics"):
        app = open_page("admin", view)

        assert "No events have reached the ledger yet" in text_of(app), view
        assert not app.exception, view


@pytest.mark.usefixtures("no_lake")
def test_a_lake_that_nobody_has_made_is_a_sentence_on_every_page(open_page: Open) -> None:
    for view in ("home", "account", "company", "analytics", "operations"):
        app = open_page("admin", view)

        assert "The ledger cannot be read right now" in text_of(app), view
        assert not app.exception, view
        assert not app.metric, view


def test_a_lake_that_went_down_is_a_sentence_and_comes_back(
    open_page: Open,
    monkeypatch: pytest.MonkeyPatch,
    shared_lake: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = open_page("admin")
    url = shared_lake["LAKE_READER_URL"]
    monkeypatch.setenv("LAKE_READER_URL", url.rpartition("/")[0] + "/no_such_database")
    figures.forget_figures()
    lake_door.forget()
    caplog.set_level(logging.INFO, "dashboards.lake")
    for _ in range(2):
        app.run()
        assert "The ledger cannot be read right now" in text_of(app)
        assert not app.metric

    monkeypatch.setenv("LAKE_READER_URL", url)

    assert app.run().metric
    told = [record.message.split()[0] for record in caplog.records if "lake_" in record.message]
    assert told == ["event=lake_silent", "event=lake_answers"], "a line a change, not a try"
