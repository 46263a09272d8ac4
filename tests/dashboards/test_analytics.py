"""Analytics: every figure against books kept in plain Python, addresses, emptiness and rights."""

import datetime as dt
from collections.abc import Callable

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.wording import money
from tests.dashboards.test_company import metrics, table, text_of
from tests.warehouse.task_books import keep_books
from tests.warehouse.world import World
from warehouse.ingest import apply_missing
from warehouse.payouts import pay_due_days

Open = Callable[..., AppTest]
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture
def lived(lake: duckdb.DuckDBPyConnection) -> World:
    """Eight days of business that end today."""
    world = World(5, date=TODAY - dt.timedelta(days=8))
    world.hire(6)
    world.live(8, steps=30)
    world.work(6)
    apply_missing(lake, world.log)
    pay_due_days(lake)
    return world


def test_every_figure_is_that_of_the_books(open_page: Open, lived: World) -> None:
    app = open_page("admin", "analytics", flow="7", period="month")
    assert not app.exception

    shown, books = metrics(app), keep_books(lived.log)
    debts = [cents for cents in lived.balances.values() if cents < 0]
    assert shown["Earned today"][0] == money(lived.earnings[TODAY])
    assert shown["Employees below zero now"] == (str(len(debts)), f"{money(sum(debts))} in all")
    week = [TODAY - dt.timedelta(days=back) for back in range(7)]
    for name, column in (
        ("Created", books.created), ("Completed", books.completed), ("Reassigned", books.reassigned)
    ):  # fmt: skip
        assert shown[name][0] == str(sum(column[date] for date in week)), name
    assert f"{len(books.open)} tasks are open." in text_of(app)
    dearest = table(app, 1)
    assert [row[2] for row in dearest] == ["sweep the floor"] * len(dearest)
    assert dearest[-1][0] == f"{TODAY:%B %Y}"
    assert dearest[-1][1] == max(row[1] for row in dearest[:-1])


def test_an_address_names_a_period(open_page: Open, lived: World) -> None:
    app = open_page("admin", "analytics", period="day", around=lived.log and TODAY.isoformat())

    year, week, _ = TODAY.isocalendar()
    assert f"Week {week} of {year}" not in text_of(app)
    app.segmented_control(key="period").set_value("week").run()
    assert app.query_params["period"] in ("week", ["week"])
    assert f"Week {week} of {year}" in text_of(app)


@pytest.mark.parametrize(
    "query", [{"period": "decade"}, {"around": "1999-01-01"}, {"around": "soon"}, {"flow": "9"}]
)
def test_an_address_changed_by_hand_is_no_accident(open_page: Open, query: dict[str, str]) -> None:
    app = open_page("admin", "analytics", **query)

    assert not app.exception
    assert metrics(app)["Earned today"][0] == "\u22129.50"
