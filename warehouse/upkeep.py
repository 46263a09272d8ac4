"""Keeps a lake of many small commits quick: folds sums, merges files, forgets old snapshots.

Runs between two batches of the ingester: a sweep of the small tables that pages read every
COMMITS_BETWEEN_SWEEPS commits, because each file costs a page a third of a millisecond; a round of
everything every COMMITS_BETWEEN_ROUNDS. Each step is a transaction of its own that changes no
figure; a step that meets another writer steps back and is done in a later round.
"""

import datetime as dt
from dataclasses import dataclass, replace
from time import monotonic

import duckdb

from warehouse.durability import sync_new_files
from warehouse.lake import RivalError, transaction
from warehouse.lake_tables import APPENDED, FOLDED, REWRITTEN, LakeTable
from warehouse.models import model

COMMITS_BETWEEN_SWEEPS = 10
COMMITS_BETWEEN_ROUNDS = 50  # a multiple of the former
# Every so many rounds, files below so many bytes are merged: a byte is copied a few times in its
# life, not once a round for ever.
TIERS = ((1, 4 * 1024**2), (10, 32 * 1024**2), (100, 256 * 1024**2))
# A table with fewer files than this is read quickly as it is.
FILES_MIN = 8
ROUNDS_BETWEEN_REWRITES = 10
ROUNDS_BETWEEN_SEARCHES = 100
REWRITE_DELETED_SHARE = 0.3
# Longer than any query takes; the files of forgotten snapshots are deleted.
SNAPSHOTS_KEPT = dt.timedelta(minutes=15)
# Files no catalog knows: of transactions under way, or left behind by a crash.
ORPHANS_KEPT = dt.timedelta(days=1)


@dataclass(frozen=True)
class UpkeepReport:
    """What one round did."""

    count_merged_files: int
    count_deleted_files: int
    is_cut_short: bool  # another writer was at work; the rest waits for a later round
    is_round: bool = True  # of everything; otherwise a sweep of the small tables
    seconds: float = 0.0


def is_due(epoch: int) -> bool:
    """Whether `tend` should follow the ingest commit with this epoch."""
    return epoch % COMMITS_BETWEEN_SWEEPS == 0


def is_round(epoch: int) -> bool:
    """Whether that is a round of everything, not only a sweep."""
    return epoch % COMMITS_BETWEEN_ROUNDS == 0


def tend(
    connection: duckdb.DuckDBPyConnection,
    epoch: int,
    *,
    kept: dt.timedelta = SNAPSHOTS_KEPT,
) -> UpkeepReport:
    """Do a sweep or a round; `epoch` (of the ingest state) says how deep it goes.

    `kept` is how long snapshots stay readable.
    """
    begun = monotonic()
    report = _tend(connection, epoch, kept)
    return replace(report, seconds=monotonic() - begun)


def _tend(connection: duckdb.DuckDBPyConnection, epoch: int, kept: dt.timedelta) -> UpkeepReport:
    number, commits_since_round = divmod(epoch, COMMITS_BETWEEN_ROUNDS)
    merged = deleted = 0
    try:
        _move_finished_tasks(connection)
        for table in REWRITTEN:
            _write_anew(connection, table)
        if commits_since_round:
            return UpkeepReport(0, 0, is_cut_short=False, is_round=False)
        for table in FOLDED:
            _fold(connection, table)
        merged = _merge(connection, APPENDED, number)
        if number % ROUNDS_BETWEEN_REWRITES == 0:
            merged += _merge(connection, FOLDED, number)
            _rewrite(connection)
        deleted = _forget(connection, kept)
        if number % ROUNDS_BETWEEN_SEARCHES == 0:
            deleted += _delete_orphans(connection)
    except RivalError:
        return UpkeepReport(merged, 0, is_cut_short=True, is_round=not commits_since_round)
    return UpkeepReport(merged, deleted, is_cut_short=False)


def _fold(connection: duckdb.DuckDBPyConnection, table: LakeTable) -> None:
    name = table.full_name
    with transaction(connection):
        connection.execute(f"create or replace temp table folded as {model(f'fold_{table.name}')}")
        if connection.execute("select 1 from folded limit 1").fetchone() is None:
            return
        before = _checksum(connection) if table.name == "account_days" else None
        connection.execute(
            f"delete from {name} where business_date in (select business_date from folded)"  # noqa: S608 - a name of ours
        )
        connection.execute(f"insert into {name} by name from folded")
        after = _checksum(connection) if table.name == "account_days" else None
        assert before == after, f"folding must not change a sum: {before} became {after}"
        sync_new_files(connection)


def _write_anew(connection: duckdb.DuckDBPyConnection, table: LakeTable) -> None:
    name = table.full_name
    with transaction(connection):
        if not _has_several_files(connection, table):
            return
        connection.execute(f"create or replace temp table folded as {model(f'fold_{table.name}')}")
        connection.execute(f"delete from {name}")  # noqa: S608 - a name of ours
        connection.execute(f"insert into {name} by name from folded")
        sync_new_files(connection)


def _has_several_files(connection: duckdb.DuckDBPyConnection, table: LakeTable) -> bool:
    row = connection.execute(
        "select count(*) > 1 from ducklake_list_files('lake', $1, schema => $2)",
        [table.name, table.schema],
    ).fetchone()
    return row == (True,)


def _move_finished_tasks(connection: duckdb.DuckDBPyConnection) -> None:
    """From unfinished_tasks to finished_tasks; what stays is written anew, one row a task."""
    with transaction(connection):
        if connection.execute("from marts.newly_finished limit 1").fetchone() is None:
            return
        before = _count_completions(connection)
        connection.execute(f"create or replace temp table open_tasks as {model('open_tasks')}")
        connection.execute("insert into marts.finished_tasks by name from marts.newly_finished")
        connection.execute("delete from marts.unfinished_tasks")
        connection.execute("insert into marts.unfinished_tasks by name from open_tasks")
        connection.execute("drop table open_tasks")
        after = _count_completions(connection)
        assert before == after, f"moving must not change a sum: {before} became {after}"
        sync_new_files(connection)


def _count_completions(connection: duckdb.DuckDBPyConnection) -> object:
    return connection.execute(
        "select sum(count_tasks), sum(count_assignments), sum(seconds) from marts.completions"
    ).fetchone()


def _checksum(connection: duckdb.DuckDBPyConnection) -> object:
    return connection.execute(
        "select sum(fees_cents), sum(rewards_cents), sum(payouts_cents), sum(count_entries),"
        " count(distinct (account, business_date)) from ledger.account_days"
    ).fetchone()


def _merge(
    connection: duckdb.DuckDBPyConnection, tables: tuple[LakeTable, ...], number: int
) -> int:
    bytes_max = max(size for rounds, size in TIERS if number % rounds == 0)
    merged = 0
    crowded = _crowded_tables(connection)
    for table in tables:
        if table.name not in crowded:
            continue
        with transaction(connection):
            rows = connection.execute(
                "select sum(files_processed) from ducklake_merge_adjacent_files("
                "'lake', $1, schema => $2, max_file_size => $3)",
                [table.name, table.schema, bytes_max],
            ).fetchone()
            sync_new_files(connection)
        merged += int(rows[0] or 0) if rows else 0
    return merged


def _crowded_tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select table_name from ducklake_table_info('lake') where file_count >= $1", [FILES_MIN]
    ).fetchall()
    return {row[0] for row in rows}


def _rewrite(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the deleted rows from the files of folded tables."""
    for table in FOLDED:
        with transaction(connection):
            connection.execute(
                "call ducklake_rewrite_data_files("
                "'lake', $1, schema => $2, delete_threshold => $3)",
                [table.name, table.schema, REWRITE_DELETED_SHARE],
            )
            sync_new_files(connection)


def _forget(connection: duckdb.DuckDBPyConnection, kept: dt.timedelta) -> int:
    now = dt.datetime.now(dt.UTC)
    connection.execute(
        "call ducklake_expire_snapshots('lake', older_than => $1)", [now - kept]
    ).fetchall()
    deleted = connection.execute(
        "call ducklake_cleanup_old_files('lake', older_than => $1)", [now - kept]
    ).fetchall()
    return len(deleted)


def _delete_orphans(connection: duckdb.DuckDBPyConnection) -> int:
    deleted = connection.execute(
        "call ducklake_delete_orphaned_files('lake', older_than => $1)",
        [dt.datetime.now(dt.UTC) - ORPHANS_KEPT],
    ).fetchall()
    return len(deleted)
