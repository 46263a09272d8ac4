"""`ates export`, `verify` and `wait` on a small business at rest, as a user calls them."""

import csv
import datetime as dt
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import duckdb
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from ates.cli import main
from ates.flight import read_flight
from ops_api.database import create_engine
from ops_api.days.commands import remove_archived
from tests.ops_api.imports_world import NOW, run_import, write_log
from tests.warehouse.settled import fill_lake, move_everything
from warehouse.results import read_results
from warehouse.settings import LakeSettings

ROWS = """
    t1,2024-03-05T09:00,ann,open
    t1,2024-03-05T10:00,bob,done
    "say ""hi"", you",2024-03-06T10:00:00.25,ann,open
    t3,2024-03-07T10:00,ann,done
"""
COLUMNS = {
    "events": "position,event_id,type,version,subject,sequence,occurred_at,business_date,data",
    "postings": "entry_id,event_id,kind,account,amount_cents,business_date,occurred_at,"
    "task_id,title",
    "payouts": "business_date,employee_id,amount_cents,entry_id,mail_state",
    "balances": "employee_id,external_id,name,balance_cents",
    "employees": "employee_id,external_id,name,email,role,is_active",
    "tasks": "task_id,external_id,title,jira_id,status,assignee_id,fee_cents,reward_cents,"
    "created_at,completed_at",
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def lake(
    engine: Engine, lake_settings: LakeSettings, tmp_path: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    run_import(engine, write_log(tmp_path, ROWS), is_mail_wanted=True)
    move_everything(engine)
    lake = fill_lake(engine, lake_settings)
    yield lake
    lake.close()


@pytest.fixture
def ates(
    database_url: str, lake_environment: dict[str, str], tmp_path: Path
) -> Iterator[CliRunner]:
    """Call it with `invoke`; the environment is that of the test's own tracker and lake."""
    environment = {
        **lake_environment,
        "DATABASE_URL": database_url,
        "DAGSTER_DATABASE_URL": database_url,
        "ATES_HOME": str(tmp_path / "home"),
        "BUSINESS_TIMEZONE": "UTC",
    }
    with patch.dict(os.environ, environment):
        yield CliRunner()


def call(ates: CliRunner, *arguments: str) -> Result:
    return ates.invoke(main, arguments)


def rows_of(output: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(output, newline="")))


@pytest.mark.parametrize("name", COLUMNS)
def test_an_export_has_exactly_its_columns_and_ends_lines_as_rfc_4180(
    lake: duckdb.DuckDBPyConnection, ates: CliRunner, name: str
) -> None:
    result = call(ates, "export", name)

    assert result.exit_code == 0
    raw = result.stdout_bytes.decode()
    assert raw.partition("\r\n")[0] == COLUMNS[name]
    assert raw.count("\n") == raw.count("\r\n") == len(rows_of(raw)) + 1 >= 2


def test_exports_hold_cents_utc_times_and_every_character(
    lake: duckdb.DuckDBPyConnection, ates: CliRunner
) -> None:
    tasks = {row["external_id"]: row for row in rows_of(call(ates, "export", "tasks").stdout)}
    quoted = tasks['say "hi", you']
    assert (quoted["title"], quoted["status"], quoted["completed_at"]) == (
        'say "hi", you', "open", ""
    )  # fmt: skip
    assert quoted["created_at"] == "2024-03-06T10:00:00.250000Z"
    assert int(tasks["t1"]["fee_cents"]) % 100 == 0

    employees = rows_of(call(ates, "export", "employees").stdout)
    assert {row["is_active"] for row in employees} == {"true"}
    payouts = rows_of(call(ates, "export", "payouts").stdout)
    assert {row["mail_state"] for row in payouts} == {"pending"}
    postings = rows_of(call(ates, "export", "postings").stdout)
    assert sum(int(row["amount_cents"]) for row in postings) == 0
    assert {"company", "cash"} < {row["account"] for row in postings}
    positions = [row["position"] for row in rows_of(call(ates, "export", "events").stdout)]
    assert positions == [str(number) for number in range(1, len(positions) + 1)]


def test_an_export_file_appears_whole_or_not_at_all(
    lake: duckdb.DuckDBPyConnection, ates: CliRunner, tmp_path: Path
) -> None:
    result = call(ates, "export", "tasks", "-o", str(tmp_path / "tasks.csv"))
    nowhere = call(ates, "export", "tasks", "-o", str(tmp_path / "no" / "tasks.csv"))

    assert result.exit_code == 0
    assert result.stdout == ""
    assert len(rows_of((tmp_path / "tasks.csv").read_text(encoding="utf-8"))) == 3
    assert [path.name for path in tmp_path.glob("tasks*")] == ["tasks.csv"]
    assert (nowhere.exit_code, "No such file" in nowhere.stderr) == (1, True)


def test_verify_says_a_line_for_every_check_and_that_all_hold(
    lake: duckdb.DuckDBPyConnection, ates: CliRunner
) -> None:
    result = call(ates, "verify")

    assert result.exit_code == 0, result.output
    assert result.output.startswith("Everything is settled")
    assert result.output.count("\nok    ") > 30
    assert result.output.endswith("checks hold\n")
    kept = read_results(lake)
    assert len(kept) == result.output.count("\nok    ")
    assert {(each.holds, each.checked_by) for each in kept} == {(True, "verify")}


def test_verify_fails_with_samples_of_what_offends(
    lake: duckdb.DuckDBPyConnection, engine: Engine, ates: CliRunner
) -> None:
    lake.execute("update lake.ledger.payouts set amount_cents = amount_cents + 1")

    result = call(ates, "verify")

    assert result.exit_code == 1
    assert "FAIL  payouts match their entries" in result.output
    assert "amount_cents=" in result.output
    assert "checks failed" in result.output
    failing = [each for each in read_results(lake) if not each.holds]
    assert "payouts_match_their_entries" in {each.name for each in failing}
    assert all("=" in each.sample for each in failing)


def test_verify_says_when_work_is_in_flight(
    lake: duckdb.DuckDBPyConnection, engine: Engine, ates: CliRunner, tmp_path: Path
) -> None:
    run_import(engine, write_log(tmp_path, "t9,2024-03-08T11:00,bob,open", "more.csv"))

    result = call(ates, "verify")

    assert result.exit_code == 0, result.output
    assert result.output.startswith("Work is in flight: compared up to position")
    assert "(2 more wait in the outbox)" in result.output


@pytest.mark.parametrize("command", [["verify"], ["export", "tasks"], ["import", "--abandon"]])
def test_without_a_database_a_command_says_what_to_start(
    ates: CliRunner, command: list[str]
) -> None:
    nobody = "postgresql+psycopg2://ates:secret@127.0.0.1:1/none"
    urls = dict.fromkeys(("DATABASE_URL", "LAKE_CATALOG_URL"), nobody)
    with patch.dict(os.environ, urls):
        result = call(ates, *command)

    assert result.exit_code == 1
    assert "`ates up`" in result.stderr
    assert "secret" not in result.stderr


def test_flight_names_every_stage_that_is_not_done(
    lake: duckdb.DuckDBPyConnection, engine: Engine, tmp_path: Path
) -> None:
    def waits(now: dt.datetime = NOW) -> list[str]:
        return read_flight(engine, lake, now=now, zone=ZoneInfo("UTC")).waits_for()

    def change(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    [published, unsent] = waits()
    assert published.endswith("events to be published")
    assert unsent.endswith("mails to be sent")
    change("update publications set published_position = (select last_position from log_head)")
    change("update mail.deliveries set state = 'sent', sent_at = now(), email = 'a@b'")
    assert waits() == []
    assert waits(NOW + dt.timedelta(days=1)) == ["the days from 2024-03-08 to be closed"]

    change("update mail.planning set planned_through = null")
    assert waits() == ["mail of payouts through 2024-03-07 to be planned"]
    lake.execute("update lake.ops.payout_state set paid_through = null")
    assert waits() == ["days through 2024-03-07 to be paid"]
    lake.execute("update lake.ops.ingest_state set contiguous_position = contiguous_position - 2")
    assert waits()[0] == "2 events to be ingested"
    change("update imports set finished_at = null")
    assert waits()[0] == "the import of log.csv to be finished"


def test_wait_gives_up_with_the_reasons(lake: duckdb.DuckDBPyConnection, ates: CliRunner) -> None:
    result = call(ates, "wait", "--timeout", "0")

    assert result.exit_code == 1
    assert "still waiting for" in result.stderr
    assert "the days from 2024-03-08 to be closed" in result.stderr


def test_wait_waits_for_a_lake_that_is_not_there_yet(
    ates: CliRunner, unmade_lake_environment: dict[str, str]
) -> None:
    with patch.dict(os.environ, unmade_lake_environment):
        result = call(ates, "wait", "--timeout", "0")

    assert result.exit_code == 1
    assert "the lake to be created" in result.stderr


def rounds_of_archiving(ates: CliRunner, engine: Engine) -> list[str]:
    """What `ates archive` says: without a setting, then twice with it, everything published."""

    def remove(_: object, day: dt.date) -> int:
        with engine.begin() as connection:
            return remove_archived(connection, day=day)

    with engine.begin() as connection:
        connection.execute(text("update publications set published_position = 999999"))
    kept = {"EVENT_LOG_KEPT_DAYS": "30", "OIDC_PIPELINES_SECRET": "a-secret-of-tests"}
    with patch("pipelines.archiving.remove_archived", remove):
        said = [call(ates, "archive"), *(ates.invoke(main, "archive", env=kept) for _ in range(2))]
    return [each.output for each in said]


def test_trace_follows_an_action_from_its_request_to_its_mail_and_into_the_archive(
    ates: CliRunner, engine: Engine, lake: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with engine.connect() as connection:
        row = connection.execute(
            text("""
                select event_id, correlation_id, subject, position from event_log
                where type = 'task.completed' and business_date = '2024-03-05'
            """)
        ).one()
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    (logs / "tracker.log").write_text(f"POST /x correlation_id={row.correlation_id}\nother\n")

    by_event = ates.invoke(main, ["trace", str(row.event_id)])
    by_action = ates.invoke(main, ["trace", str(row.correlation_id)])
    unknown = ates.invoke(main, ["trace", "00000000-0000-7000-8000-000000000000"])
    unset, copied, removed = rounds_of_archiving(ates, engine)
    afterwards = ates.invoke(main, ["trace", str(row.event_id)])

    assert "EVENT_LOG_KEPT_DAYS is not set" in unset
    assert re.search(r"^left the event log: 0 days, 0 events\ncopied into the lake: \d", copied)
    assert copied.partition("lake: ")[2] == removed.partition("log: ")[2].partition("\n")[0] + "\n"
    assert afterwards.output == by_event.output.replace("not published yet", "published")
    assert by_event.exit_code == 0, by_event.output
    assert by_event.output == by_action.output
    lines = by_event.output.splitlines()
    assert lines[0] == f"request  POST /x correlation_id={row.correlation_id}"
    assert f"event    task.completed of {row.subject}" in by_event.output
    assert f"position {row.position} at" in by_event.output
    assert "in the lake" in by_event.output
    postings = [line.split()[2] for line in lines if line.startswith("posting  reward")]
    assert sorted(int(amount.replace(",", "")) for amount in postings)[0] < 0
    assert sum(int(amount.replace(",", "")) for amount in postings) == 0
    paid = [line for line in lines if line.startswith("payout   2024-03-05")]
    assert len(paid) == 1
    assert sum(line.startswith("mail     2024-03-05: ") for line in lines) <= 1
    assert unknown.exit_code == 1
    assert "no event has this id" in unknown.output
