"""The oldest days move from the event log to the lake, and nothing that reads it notices."""

import datetime as dt
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine, text

from ops_api.database import create_engine
from ops_api.outbox.archiving import remove_oldest
from tests.ops_api.imports_world import run_import, write_log
from tests.warehouse.settled import fill_lake, move_everything, undone
from warehouse import archive
from warehouse.archive import ArchiveError, copy_due_days, prove_copies
from warehouse.checks import verify
from warehouse.exports import EXPORTS, write_export
from warehouse.lake import RivalError, connect
from warehouse.rebuild import EventLog, rebuild
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker
from warehouse.upkeep import tend

FOR_EVER = dt.date.max
MIDDLE = dt.date(2024, 2, 9)
LOG = "\n".join(
    f"t{number // 2},2024-02-{1 + number // 6:02}T{number % 6:02}:00,w{number // 3 % 5},"
    f"{'done' if number % 2 and number % 8 != 5 else 'open'}"
    for number in range(120)
)


@pytest.fixture
def engine(database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """The tracker of a small business at rest."""
    engine = create_engine(database_url)
    run_import(engine, write_log(tmp_path, LOG), is_mail_wanted=True)
    move_everything(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def lake(
    engine: Engine, lake_settings: LakeSettings, database_url: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Its lake, with everything paid and the tracker attached."""
    with fill_lake(engine, lake_settings) as lake:
        attach_tracker(lake, database_url)
        yield lake


def first_position(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("select min(position) from event_log")).scalar_one())


def remove(engine: Engine, through: int) -> None:
    with engine.begin() as connection:
        while remove_oldest(connection, through=through):
            pass


def everything(lake: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every export as a user gets it, and every check's verdict."""
    found = verify(lake)
    told = {each.name: str(each.count_offending) for each in found.findings}
    for name in EXPORTS:
        file = io.StringIO(newline="")
        write_export(lake, name, file)
        told[f"export {name}"] = file.getvalue()
    return told


def count_archived(lake: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = lake.execute(
        "select count(*), count(distinct position) from raw.event_log_archive"
    ).fetchone()
    assert row is not None
    return row


def test_days_move_and_exports_checks_and_a_rebuilt_lake_stay_the_same(
    engine: Engine,
    lake: duckdb.DuckDBPyConnection,
    lake_settings: LakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "PAGE_ROWS", 50)
    before = everything(lake)
    assert prove_copies(lake, through=FOR_EVER) == []

    copied = copy_due_days(lake, through=MIDDLE)
    assert copy_due_days(lake, through=MIDDLE) == []
    proven = prove_copies(lake, through=FOR_EVER)
    remove(engine, copied[-1].last_position)
    after = everything(lake)
    copy_due_days(lake, through=dt.date(2024, 2, 15))
    tend(lake, 500)
    result = rebuild(lake_settings, EventLog(pages_of(engine)), empty(tmp_path / "rebuilt"))

    assert set(before.values()) > {"0"}
    assert proven == copied
    assert copied[0].first_position == 1
    assert copied[-1].business_date == MIDDLE
    assert first_position(engine) == copied[-1].last_position + 1 > 50
    assert after == before
    assert result.is_identical
    assert verify(lake).is_clean
    assert prove_copies(lake, through=MIDDLE) == []
    rows, positions = count_archived(lake)
    assert rows == positions == archive.archived_position(lake)


def pages_of(engine: Engine):  # type: ignore[no-untyped-def]
    from pipelines.ingest.healing import read_missing

    return lambda after, through: read_missing(engine, after, through)


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_a_copy_that_changed_or_lost_a_row_is_not_proven(
    engine: Engine, lake: duckdb.DuckDBPyConnection
) -> None:
    days = copy_due_days(lake, through=MIDDLE)
    last = days[-1].last_position

    for fault in (
        "update raw.event_log_archive set body = body || ' ' where position = 3",
        f"delete from raw.event_log_archive where position = {last}",
        "insert into raw.event_log_archive from raw.event_log_archive where position = 3",
    ):
        with undone(lake):
            lake.execute(fault)
            with pytest.raises(ArchiveError, match="does not hold what was copied"):
                archive._require_unchanged(lake, days)
    with engine.begin() as connection:
        connection.execute(text("update event_log set body = body || ' ' where position = 9"))
    with pytest.raises(ArchiveError, match=r"\(1, 1\)"):
        prove_copies(lake, through=MIDDLE)


def test_only_paid_days_without_younger_events_are_copied(
    engine: Engine, lake: duckdb.DuckDBPyConnection
) -> None:
    with undone(lake):
        lake.execute("update ops.payout_state set paid_through = '2024-02-05'")
        assert _due(lake)[-1] == dt.date(2024, 2, 5)
        # An event of the tenth came before the certificate of the third, which came late.
        lake.execute(
            "update raw.events set business_date = '2024-02-10' where position ="
            " (select position - 1 from ledger.certificates where business_date = '2024-02-03')"
        )
        assert _due(lake)[-1] == dt.date(2024, 2, 2)
    with engine.begin() as connection:
        connection.execute(text("delete from event_log where position = 5"))
    with pytest.raises(ArchiveError, match="positions 1 to"):
        copy_due_days(lake, through=FOR_EVER)
    assert count_archived(lake) == (0, 0)


def _due(lake: duckdb.DuckDBPyConnection) -> list[dt.date]:
    return [row[0] for row in lake.execute(archive._DUE, [FOR_EVER, 99]).fetchall()]


def test_of_two_archivers_at_once_one_steps_back(
    lake: duckdb.DuckDBPyConnection, lake_settings: LakeSettings, database_url: str
) -> None:
    with connect(lake_settings) as rival:
        attach_tracker(rival, database_url)
        lake.begin()
        archive._advance(lake, 1)
        copied = copy_due_days(rival, through=dt.date(2024, 2, 1))
        with pytest.raises(duckdb.TransactionException):
            lake.commit()
        with pytest.raises(RivalError):
            archive._advance(rival, copied[-1].last_position)

    assert [each.business_date for each in copied] == [dt.date(2024, 2, 1)]
    assert count_archived(lake)[0] == copied[0].count_events


KILLED = """
import datetime as dt, sys
from contracts.environment import read_environment
from warehouse.archive import copy_due_days, prove_copies
from warehouse.lake import connect
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker

with connect(read_environment(LakeSettings)) as lake:
    attach_tracker(lake, sys.argv[1])
    prove_copies(lake, through=dt.date.max)
    copy_due_days(lake, through=dt.date(2024, 2, 12))
"""


@pytest.mark.parametrize(
    "place", ["before-removal", "before-archive-commit", "after-archive-commit"]
)
def test_killed_anywhere_it_goes_on(
    engine: Engine,
    lake: duckdb.DuckDBPyConnection,
    lake_environment: dict[str, str],
    database_url: str,
    place: str,
) -> None:
    copied = copy_due_days(lake, through=MIDDLE) if place == "before-removal" else []
    environment = {**os.environ, **lake_environment, "CRASH_AT": place}

    done = subprocess.run(
        [sys.executable, "-c", KILLED, database_url], env=environment, check=False
    )
    if copied:
        remove(engine, copied[3].last_position - 1)  # and the tracker in the middle of a day
    rest = copy_due_days(lake, through=dt.date(2024, 2, 13))

    assert done.returncode == -9
    assert rest
    assert prove_copies(lake, through=FOR_EVER)[-1] == rest[-1]
    rows, positions = count_archived(lake)
    assert rows == positions == rest[-1].last_position
    assert verify(lake).is_clean
