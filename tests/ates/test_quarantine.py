"""`ates quarantine` and `ates rebuild` on a business with events that nobody can read."""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sqlalchemy import Engine, text

from ates.cli import main
from ates.commands import quarantine
from ops_api.database import create_engine
from pipelines.ingest.healing import read_missing
from tests.ops_api.imports_world import run_import, write_log
from tests.warehouse.settled import move_everything
from warehouse.ingest import apply_batch, apply_missing
from warehouse.lake import connect
from warehouse.payouts import CertificateMismatch, pay_due_days
from warehouse.quarantine import read_quarantine
from warehouse.settings import LakeSettings

LOG = """
    t1,2024-03-05T09:00,ann,open
    t1,2024-03-05T10:00,bob,done
    t2,2024-03-06T10:00,ann,open
    t2,2024-03-06T11:00,ann,done
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def lake(
    engine: Engine, lake_settings: LakeSettings, tmp_path: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake with the events of the log, two of which cannot be read, and a stray record."""
    run_import(engine, write_log(tmp_path, LOG))
    move_everything(engine)
    with engine.begin() as connection:
        connection.execute(text("create table kept as select position, body from event_log"))
        connection.execute(
            text("update event_log set body = left(body, -2) where position = any(:positions)"),
            {"positions": rewards(engine)},
        )
    with connect(lake_settings) as lake:
        apply_missing(lake, read_missing(engine, 0, 10**6))
        from tests.warehouse.world import record, table

        apply_batch(lake, table(record(b"stray", None)))
        yield lake


@pytest.fixture
def ates(
    database_url: str, lake_environment: dict[str, str], tmp_path: Path
) -> Iterator[CliRunner]:
    (tmp_path / "home").mkdir()
    environment = {
        **lake_environment,
        "DATABASE_URL": database_url,
        "DAGSTER_DATABASE_URL": database_url,
        "ATES_HOME": str(tmp_path / "home"),
        "BUSINESS_TIMEZONE": "UTC",
        "COLUMNS": "200",
    }
    with patch.dict(os.environ, environment):
        yield CliRunner()


def rewards(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        statement = "select position from event_log where type = 'task.completed' order by 1"
        return list(connection.execute(text(statement)).scalars())


def call(ates: CliRunner, *arguments: str) -> Result:
    return ates.invoke(main, arguments)


def failing(result: Result) -> list[str]:
    lines = [line for line in result.output.splitlines() if line.startswith("FAIL")]
    return [line.split("  ")[1] for line in lines]


def test_one_event_is_repaired_and_read_and_the_other_is_done_without(
    ates: CliRunner, lake: duckdb.DuckDBPyConnection, engine: Engine
) -> None:
    first, second = rewards(engine)
    ids = {each.position: str(each.quarantine_id) for each in read_quarantine(lake)}

    listed = call(ates, "quarantine", "list")
    assert "2 waiting" in listed.output
    assert "1 unconfirmed" in listed.output
    assert ids[first][:8] in listed.output
    assert failing(call(ates, "verify")) == ["quarantine is settled"]
    with pytest.raises(CertificateMismatch, match="wait in quarantine"):
        pay_due_days(lake)

    still = call(ates, "quarantine", "retry", "--all")
    assert (still.exit_code, still.output) == (1, "0 read, 2 still cannot be read\n")

    with engine.begin() as connection:
        repair = "update event_log set body = kept.body from kept where event_log.position ="
        connection.execute(text(f"{repair} kept.position and event_log.position = {first}"))
    read = call(ates, "quarantine", "retry", ids[first][:13])
    assert (read.exit_code, read.output) == (0, "1 read, 0 still cannot be read\n")
    again = call(ates, "quarantine", "retry", ids[first])
    assert "is retried: nothing is left to do" in again.output

    gone = call(ates, "quarantine", "discard", ids[second], "--reason", "disk fault in March")
    assert gone.exit_code == 0, gone.output
    stray = call(ates, "quarantine", "discard", ids[None], "--reason", "somebody's test")  # type: ignore[index]
    assert stray.exit_code == 0, stray.output
    pay_due_days(lake)

    shown = call(ates, "quarantine", "show", ids[second][:8])
    assert "disk fault in March" in shown.output
    raw = call(ates, "quarantine", "show", ids[second], "--bytes")
    assert raw.stdout_bytes.startswith(b'{"specversion"')
    assert "1 retried" in call(ates, "quarantine", "list").output
    rebuilt = call(ates, "rebuild")
    assert (rebuilt.exit_code, failing(rebuilt)) == (0, []), rebuilt.output
    assert failing(call(ates, "verify")) == []


def test_what_cannot_be_done_is_said_and_a_list_fits_a_terminal(
    ates: CliRunner, lake: duckdb.DuckDBPyConnection, engine: Engine
) -> None:
    terminal = Console(width=80, file=io.StringIO())
    terminal.print(quarantine._table(read_quarantine(lake), is_wide=False))
    assert "…" not in terminal.file.getvalue()  # type: ignore[attr-defined]
    ids = {each.position: str(each.quarantine_id) for each in read_quarantine(lake)}
    assert "give ids, or --all" in call(ates, "quarantine", "retry").output
    unconfirmed = call(ates, "quarantine", "retry", ids[None])  # type: ignore[index]
    assert "the event log does not hold it" in unconfirmed.output
    assert "no record in quarantine" in call(ates, "quarantine", "show", "nothing").output
    empty = call(ates, "quarantine", "discard", ids[rewards(engine)[0]], "--reason", " ")
    assert "1 to 500 characters" in empty.output
    assert "a span needs --from and --to" in call(ates, "rebuild", "--from", "2024-03-05").output
    span = ("--from", "2024-03-05", "--to", "2024-03-06")
    assert "leave out" in call(ates, "rebuild", *span, "--swap", "always").output


def test_a_certificate_cannot_be_done_without(
    ates: CliRunner, lake_settings: LakeSettings, engine: Engine, tmp_path: Path
) -> None:
    run_import(engine, write_log(tmp_path, LOG))
    move_everything(engine)
    statement = (
        "update event_log set body = '{}' where position ="
        " (select min(position) from event_log where type = 'business_day.closed')"
    )
    with engine.begin() as connection:
        connection.execute(text(statement))
    with connect(lake_settings) as lake:
        apply_missing(lake, read_missing(engine, 0, 10**6))
        (found,) = read_quarantine(lake)
        refused = call(ates, "quarantine", "discard", str(found.quarantine_id), "--reason", "x")
        with pytest.raises(CertificateMismatch):
            pay_due_days(lake)

    assert "is the certificate of 2024-03-05" in refused.output
