"""Operations: what waits, what was refused and what was checked, each once quiet and once not."""

import datetime as dt
from collections.abc import Callable

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

from tests.dashboards.test_company import metrics, table, text_of
from tests.warehouse.world import record
from tests.warehouse.world import table as batch
from warehouse.checks import Finding
from warehouse.ingest import apply_batch
from warehouse.results import keep_results

Open = Callable[..., AppTest]
NOW = dt.datetime.now(dt.UTC)


def test_a_quiet_installation_says_that_nothing_waits(
    open_page: Open, lake: duckdb.DuckDBPyConnection
) -> None:
    app = open_page("admin", "operations")

    assert not app.exception
    assert metrics(app)["Last commit"][0] == "none yet"
    text = text_of(app)
    assert "No check has run yet" in text
    assert "No record waits in quarantine." in text
    assert "No e-mail waits and none has failed." in text
    ways_into_dagster = [str(each.proto.url) for each in app.get("link_button")]
    assert "http://dagster.example/runs" in ways_into_dagster


def test_what_failed_comes_first_and_what_was_refused_is_shown(
    open_page: Open, lake: duckdb.DuckDBPyConnection
) -> None:
    apply_batch(lake, batch(record(b"junk", 1)))
    keep_results(
        lake,
        [
            Finding("a_holds", "A holds.", 0, []),
            Finding("b_fails", "B fails.", 3, [{"position": 7}]),
        ],
        checked_by="verify",
        clock=lambda: NOW,
    )
    app = open_page("admin", "operations")

    assert not app.exception
    assert "1 check does not hold." in text_of(app)
    checks, reasons, newest = (table(app, index) for index in range(3))
    assert [(row[0], row[1], row[4]) for row in checks] == [
        ("✗ 3 offending", "b fails", "position=7"),
        ("✓ holds", "a holds", ""),
    ]
    assert [(row[0], row[1]) for row in reasons] == [("not-json", 1)]
    assert [(row[1], row[3]) for row in newest] == [("tasks", "not-json")]


def test_a_silent_database_of_the_tracker_is_said_and_the_rest_is_shown(
    open_page: Open, lake: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_READER_URL", "postgresql+psycopg2://ates@127.0.0.1:1/nothing")
    app = open_page("admin", "operations")

    assert not app.exception
    assert "The tracker's database does not answer" in text_of(app)
    assert "No record waits in quarantine." in text_of(app)
