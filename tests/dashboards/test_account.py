"""My account: Anna's figures against the ledger written by hand, filters, and what is not hers."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from dashboards import figures
from tests.dashboards.ledger import TODAY, YESTERDAY
from tests.dashboards.test_company import metrics, table, text_of
from tests.dashboards.tracker import Tracker

Open = Callable[..., AppTest]
# Anna: charged 15.00, credited 40.00, paid 25.00 yesterday; charged 12.00 today.
STATEMENT = [
    [Decimal(0), Decimal(-12), Decimal(0), Decimal(0), Decimal(-12)],
    [Decimal(-15), Decimal(0), Decimal(40), Decimal(-25), Decimal(0)],
    [Decimal(0), Decimal(-15), Decimal(0), Decimal(0), Decimal(-15)],
]


def test_the_account_shows_its_balance_in_words(open_page: Open) -> None:
    app = open_page("worker", "account")

    assert not app.exception
    assert metrics(app) == {
        "Balance now": ("\u221212.00", "below zero"),
        "Earned today": ("\u221212.00", ""),
        "Entries today": ("1", ""),
    }
    assert "Your account is **12.00 below zero**" in text_of(app)


def test_the_statement_adds_up_day_by_day(open_page: Open) -> None:
    app = open_page("worker", "account")

    assert [list(row[1:6]) for row in table(app, 0)] == STATEMENT
    assert [row[6] for row in table(app, 0)] == ["open", "closed", "closed"]
    assert (
        "opening 0.00, fees \u221227.00, rewards +40.00, paid out \u221225.00, "
        "closing **\u221212.00**" in text_of(app)
    )
    assert "1 payout, **25.00**" in text_of(app)
    assert [(str(row[1]), row[2]) for row in table(app, 1)] == [("25.00", "none planned")]


def test_the_audit_log_names_tasks_and_runs_to_the_balance(open_page: Open) -> None:
    rows = table(open_page("worker", "account"), 2)

    assert [(row[2], row[3], str(row[5]), str(row[6])) for row in rows] == [
        ("fee", "", "-12.00", "-12.00"),
        ("payout", "", "-25.00", "0.00"),
        ("reward", "POPUG-7", "40.00", "25.00"),
        ("fee", "POPUG-7", "-15.00", "-15.00"),
    ]


@pytest.mark.parametrize(
    ("query", "totals"),
    [
        ({"kinds": "fee"}, "2 entries: fees \u221227.00, rewards 0.00"),
        ({"kinds": "reward,payout"}, "rewards +40.00, paid out \u221225.00, in all **+15.00**"),
        ({"text": "cage"}, "2 entries: fees \u221215.00, rewards +40.00"),
        ({"text": "nothing like it"}, "No entry matches in these days"),
        ({"kinds": "nonsense"}, "4 entries:"),
    ],
)  # fmt: skip
def test_totals_follow_the_filter(open_page: Open, query: dict[str, str], totals: str) -> None:
    assert totals in text_of(open_page("worker", "account", **query))


def test_a_filter_that_is_chosen_is_in_the_address(open_page: Open) -> None:
    app = open_page("worker", "account")

    app.button_group(key="kinds").set_value(["fee"]).run()

    assert app.query_params["kinds"] == "fee"
    assert "2 entries: fees \u221227.00" in text_of(app)


@pytest.mark.parametrize("kind", ["payout", "reward", "fee"])
def test_an_entry_in_the_address_is_explained(open_page: Open, tracker: Tracker, kind: str) -> None:
    entry_id = _entry_of(tracker, kind)
    words = {
        "payout": "began with \u221215.00; fees 0.00 and rewards +40.00 made it **25.00**",
        "reward": "its reward of **40.00** was credited",
        "fee": "its fee of **12.00** was charged",
    }

    app = open_page(
        "worker", "account", entry=entry_id,
        on=(TODAY if kind == "fee" else YESTERDAY).isoformat(),
    )  # fmt: skip

    assert words[kind] in text_of(app)
    app.button(key="close-entry").click().run()
    assert "Why this sum" not in text_of(app)


def _entry_of(tracker: Tracker, kind: str) -> str:
    import dashboards.lake as door
    from warehouse.account_entries import read_entries
    from warehouse.reading import Reader

    anna = tracker.employee("worker")
    reader = Reader(role="worker", employee_id=anna)
    entries = door.read(
        lambda one: read_entries(one, reader=reader, employee_id=anna, first=YESTERDAY, last=TODAY)
    )
    return str(next(one.entry_id for one in entries.page if one.kind == kind))


@pytest.mark.parametrize("query", [{"entry": "x"}, {"entry": "x", "on": "y"}, {"span": "?"}])
def test_an_address_changed_by_hand_is_no_accident(open_page: Open, query: dict[str, str]) -> None:
    app = open_page("worker", "account", **query)

    assert not app.exception
    assert ("entry" in query) == ("There is no such entry on your account" in text_of(app))


@pytest.mark.parametrize("role", ["manager", "accountant", "admin"])
def test_everybody_has_an_account_even_without_entries(open_page: Open, role: str) -> None:
    app = open_page(role, "account")

    assert not app.exception
    assert metrics(app)["Balance now"] == ("0.00", "")
    text = text_of(app)
    assert "Your account is even" in text
    assert "Nothing moved on your account in these days" in text
    assert "Nothing was paid out to you for these days" in text


def test_a_silent_tracker_database_leaves_figures_and_says_what_is_not_known(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("worker", "account")
    monkeypatch.setenv("DATABASE_READER_URL", "postgresql+psycopg2://nobody@127.0.0.1:1/none")
    figures.forget_figures()

    app.run()

    assert "The tracker's database does not answer: there may be newer events" in text_of(app)
    assert [(str(row[1]), row[2]) for row in table(app, 1)] == [("25.00", "not known")]


def test_figures_that_are_behind_say_so(open_page: Open, tracker: Tracker) -> None:
    with tracker.engine.begin() as connection:
        connection.exec_driver_sql("update log_head set last_position = 10000")
        connection.exec_driver_sql(
            "insert into outbox (event_id, type, version, topic, subject, sequence, occurred_at,"
            " business_date, correlation_id, body) select gen_random_uuid(), 'x', 1, 'x', 'x', 1,"
            " now() - interval '2 minutes', current_date, gen_random_uuid(), '{}'"
        )
    figures.forget_figures()
    try:
        assert "2 min. These figures are behind: ingest may be stopped" in text_of(
            open_page("worker", "account")
        )
    finally:
        with tracker.engine.begin() as connection:
            connection.exec_driver_sql("delete from outbox where type = 'x'")
            connection.exec_driver_sql("update log_head set last_position = 0")
        figures.forget_figures()


@pytest.mark.parametrize(
    ("spoken", "written"), [("en-GB", "%,.2f"), ("de-DE", "%,.2f"), ("ru-RU", "localized")]
)
def test_tables_write_amounts_as_the_page_does(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, spoken: str, written: str
) -> None:
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: spoken))
    columns = json.loads(open_page("worker", "account").dataframe[0].proto.columns)

    kinds = [each["type_config"] for each in columns.values() if each.get("type_config")]
    assert {kind["format"] for kind in kinds} == {written}
    assert {kind["step"] for kind in kinds} == {0.01}
