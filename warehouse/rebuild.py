"""Builds a second lake from the event log alone, by the same code, and compares it with the first.

The second lake has its catalog in a file of its own and its data beside it. Left out of the
comparison is only what tells when and by which way rows came, not what they say.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.ingest import LogRow, apply_missing
from warehouse.lake import connect, create_tables
from warehouse.lake_tables import FOLLOWING_FROM_THE_LOG, LakeTable
from warehouse.payouts import CertificateMismatch, pay_due_days
from warehouse.settings import LakeSettings
from warehouse.state import IngestState, read_state

# Rows of the log after the first position up to the second, in order, a page of them.
ReadLog = Callable[[int, int], list[LogRow]]


@dataclass(frozen=True)
class TableComparison:
    """One table of both lakes: rows in the first, and rows that only one of them has."""

    table: str
    count_rows: int
    count_missing: int  # in the lake, not in the rebuilt one
    count_surplus: int  # in the rebuilt one, not in the lake

    @property
    def is_identical(self) -> bool:
        """Whether both lakes say the same."""
        return self.count_missing == 0 and self.count_surplus == 0


class RebuildError(RuntimeError):
    """The second lake could not be built or compared; the message says why."""


def rebuild_and_compare(
    settings: LakeSettings,
    read_log: ReadLog,
    folder: Path,
    report_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[TableComparison]:
    """Build a second lake in an empty folder and yield one comparison per table.

    Works beside ingest and payouts: what arrives meanwhile is built as well, and both lakes are
    compared at one snapshot. Raises RebuildError.
    """
    shadow_settings = LakeSettings(
        lake_catalog_url=f"duckdb:///{folder / 'catalog.ducklake'}",
        lake_data_path=str(folder / "data"),
    )
    with contextlib.closing(connect(settings, read_only=True)) as live:
        target = _complete_state(live).contiguous_position
        with contextlib.closing(connect(shadow_settings)) as shadow:
            create_tables(shadow)
            state = _build(shadow, read_state(shadow), read_log, target, report_progress)
            live.execute("begin")  # pins the snapshot that is compared
            pinned = _complete_state(live)
            _build(shadow, state, read_log, pinned.contiguous_position, report_progress)
            _pay(shadow, _paid_through(live))
        live.execute(
            f"attach 'ducklake:{folder / 'catalog.ducklake'}' as rebuilt"
            f" (data_path '{folder / 'data'}/', read_only)"
        )
        for table in FOLLOWING_FROM_THE_LOG:
            yield _compare(live, table)
        live.execute("rollback")


def _complete_state(connection: duckdb.DuckDBPyConnection) -> IngestState:
    state = read_state(connection)
    if state.last_position > state.contiguous_position:
        raise RebuildError(
            f"position {state.contiguous_position + 1} has not arrived yet, although later ones"
            " have; wait until ingest has caught up"
        )
    return state


def _build(
    connection: duckdb.DuckDBPyConnection,
    state: IngestState,
    read_log: ReadLog,
    target: int,
    report_progress: Callable[[int, int], None],
) -> IngestState:
    while state.contiguous_position < target:
        rows = read_log(state.contiguous_position, target)
        if not rows or rows[0].position != state.contiguous_position + 1:
            raise RebuildError(f"the event log lacks position {state.contiguous_position + 1}")
        state = apply_missing(connection, rows, state=state).state
        report_progress(state.contiguous_position, target)
    return state


def _paid_through(connection: duckdb.DuckDBPyConnection) -> dt.date | None:
    row = connection.execute("select paid_through from ops.payout_state").fetchone()
    assert row is not None, "ops.payout_state must have a row"
    paid_through: dt.date | None = row[0]
    return paid_through


def _pay(connection: duckdb.DuckDBPyConnection, through: dt.date | None) -> None:
    if through is None:
        return
    try:
        pay_due_days(connection, through=through)
    except CertificateMismatch as error:
        raise RebuildError(f"in the rebuilt lake {error}") from error


def _compare(connection: duckdb.DuckDBPyConnection, table: LakeTable) -> TableComparison:
    assert table.meaning is not None, f"{table.full_name} does not follow from the log"
    ours, theirs = table.meaning.format("lake"), table.meaning.format("rebuilt")
    counts = [
        connection.execute(f"select count(*) from ({select})").fetchone()  # noqa: S608 - all ours
        for select in (
            ours,
            f"({ours}) except all ({theirs})",
            f"({theirs}) except all ({ours})",
        )
    ]
    return TableComparison(table.full_name, *(int(row[0]) for row in counts if row is not None))
