"""`ates import` as a user calls it: what it prints, what it refuses, what it leaves undone."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from ates.cli import main
from ops_api.database import create_engine

MAPPING = """
[columns]
ticket = "ticket"
time = "when"
worker = "who"
status = "state"
[values]
done = ["done"]
"""
GOOD = "t1,2024-03-05T09:00,ann,open\nt1,2024-03-06T10:00,bob,done\nt1,2024-03-06T11:00,bob,done\n"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


class Desk:
    """A folder with a log and its mapping, and the command on them."""

    def __init__(self, folder: Path) -> None:
        self.log, self.mapping = folder / "log.csv", folder / "mapping.toml"
        self.mapping.write_text(MAPPING, encoding="utf-8")
        self.write(GOOD)

    def write(self, rows: str, header: str = "ticket,when,who,state") -> None:
        self.log.write_text(f"{header}\n{rows}", encoding="utf-8")

    def run(self, *options: str) -> Result:
        arguments = ["import", str(self.log), "--mapping", str(self.mapping), *options]
        return CliRunner().invoke(main, [*arguments, "--now", "2024-03-08T12:00:00+00:00"])


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    environment = {
        **dict.fromkeys(("DATABASE_URL", "LAKE_CATALOG_URL", "DAGSTER_DATABASE_URL"), database_url),
        "ATES_HOME": str(tmp_path / "home"),
        "BUSINESS_TIMEZONE": "UTC",
    }
    with patch.dict(os.environ, environment):
        yield Desk(tmp_path)


def count(engine: Engine, table: str) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def test_the_report_counts_every_row(desk: Desk, engine: Engine) -> None:
    result = desk.run("--seed", "4")

    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    for expected in (
        "rows read 3", "rows applied 2", "rows skipped 1", "ticket already done 1",
        "rows refused 0", "tasks 1", "assignments 2", "completions 1", "employees 2",
        "days closed 3",
    ):  # fmt: skip
        assert expected.split() in lines
    assert "seed 4, moved by 0 weeks, days in UTC, no mail" in result.output
    assert count(engine, "tasks") == 1


def test_a_second_run_says_that_nothing_is_left(desk: Desk, engine: Engine) -> None:
    desk.run()
    before = count(engine, "event_log") + count(engine, "outbox")

    result = desk.run("--shift-to-now")

    assert result.exit_code == 0
    assert "was imported on 2024-03-08; nothing to do" in result.output
    assert count(engine, "event_log") + count(engine, "outbox") == before


def test_bad_rows_are_named_and_the_rest_is_imported(desk: Desk, engine: Engine) -> None:
    desk.write(GOOD + "t2,soon,ann,open\n" * 30)

    result = desk.run()

    assert result.exit_code == 0
    assert f"{desk.log}, line 5: time 'soon' is not iso8601" in result.stderr
    assert "10 more bad rows" in result.stderr
    assert ["rows", "refused", "30"] in [line.split() for line in result.stdout.splitlines()]
    assert count(engine, "tasks") == 1


def test_with_strict_one_bad_row_keeps_everything_out(desk: Desk, engine: Engine) -> None:
    desk.write(GOOD + "t2,soon,ann,open\n")

    result = desk.run("--strict")

    assert result.exit_code == 1
    assert "1 bad rows; nothing was imported" in result.stderr
    assert count(engine, "imports") == count(engine, "employees") == 0


@pytest.mark.parametrize(
    ("mapping", "header", "reason"),
    [
        (MAPPING.replace('"who"', '"worker"'), None, "column 'worker' is missing"),
        (MAPPING.replace("done =", "finished ="), None, "unknown field `finished`"),
        (MAPPING + '[file]\nencoding = "klingon"', None, "file.encoding 'klingon'"),
        (MAPPING + '[file]\nencoding = "utf-16"', None, "the text is not utf-16"),
        (MAPPING, "ticket;when;who;state", "column 'ticket' is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    desk: Desk, engine: Engine, mapping: str, header: str | None, reason: str
) -> None:
    desk.mapping.write_text(mapping, encoding="utf-8")
    if header is not None:
        desk.write(GOOD, header)

    result = desk.run()

    assert result.exit_code == 1
    assert reason in result.stderr
    assert "Traceback" not in result.output
    assert count(engine, "imports") == 0


def test_closed_days_are_refused_with_what_to_do(desk: Desk) -> None:
    desk.run()
    desk.write("t7,2024-03-06T09:00,ann,open\n")

    result = desk.run()

    assert result.exit_code == 1
    assert "closed (through 2024-03-07)" in result.stderr
    assert "a fresh one, with an ATES_HOME of its own" in result.stderr


def test_nothing_unfinished_means_nothing_to_give_up(desk: Desk) -> None:
    result = CliRunner().invoke(main, ["import", "--abandon"])

    assert (result.exit_code, result.output) == (0, "No import is unfinished.\n")


def test_a_log_and_its_mapping_are_needed(desk: Desk) -> None:
    result = CliRunner().invoke(main, ["import", str(desk.log)])

    assert result.exit_code == 2
    assert "LOG and --mapping are needed" in result.stderr
