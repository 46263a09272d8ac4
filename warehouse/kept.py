"""The kept aggregates in memory, as of one snapshot of the lake: where pages read their figures.

A scan of the lake costs some milliseconds before its first row (round trips to the catalog, a file
to open for each few commits), and a page makes a dozen of them. The copy has the same tables and
views under the same names in a catalog of its own, so a query that names no catalog reads either.
It follows the lake by reading again the tables that newer snapshots changed, and of the large ones
only the days that are not paid: a paid day never changes.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from warehouse.reading import read_snapshot_id

TABLES = Path(__file__).with_name("tables")
# Tables that grow with every day and employee; kept in two parts, what is settled and what is not.
BY_DAY: Final = {
    "ledger.account_days": """
        select
            account,
            business_date,
            sum(fees_cents)::bigint as fees_cents,
            sum(rewards_cents)::bigint as rewards_cents,
            sum(payouts_cents)::bigint as payouts_cents,
            sum(count_entries)::bigint as count_entries,
        from lake.ledger.account_days
        where business_date > $after and business_date <= $through
        group by account, business_date
    """,
    "ledger.payouts": """
        select * from lake.ledger.payouts
        where business_date > $after and business_date <= $through
    """,
}
# Tables with a few thousand rows in all, or about as many as there are open tasks.
WHOLE: Final = {
    **{
        name: f"select * from lake.{name}"  # noqa: S608 - names of ours
        for name in (
            "ledger.certificates",
            "ledger.paid_days",
            "marts.employee_versions",
            "marts.dearest_tasks",
            "marts.task_days",
            "marts.finished_tasks",
            "marts.unfinished_tasks",
            "ops.ingest_state",
            "ops.payout_state",
            "ops.check_results",
        )
    },
    # What waits there, without the records themselves.
    "raw.quarantine": """
        select * replace (null::blob as record) from lake.raw.quarantine where settled_as is null
    """,
}
KEPT: Final = frozenset({*BY_DAY, *WHOLE})
# Views that are calculated once a snapshot instead of once a query, and the tables they stand on.
VIEWS: Final = {
    "marts.employees": {"marts.employee_versions"},
    "marts.balances": {"ledger.account_days"},
    "marts.company_days": {"ledger.account_days"},
    "marts.completions": {"marts.finished_tasks", "marts.unfinished_tasks"},
}

_CHANGES = """
select snapshot_id, changes_made
from __ducklake_metadata_lake.ducklake_snapshot_changes
where snapshot_id > $1
"""
_TABLE_NAMES = """
select files.table_id, named.schema_name || '.' || files.table_name
from ducklake_table_info('lake') as files
inner join __ducklake_metadata_lake.ducklake_schema as named
    on named.schema_id = files.schema_id and named.end_snapshot is null
"""
_CHANGE = re.compile(r"(\w+):(\d+)")
_WRITING = frozenset({"inserted_into_table", "deleted_from_table"})
# Other files, the same rows.
_HARMLESS = frozenset({"compacted_table", "merge_adjacent", "rewrite_delete"})


class _Settled(NamedTuple):
    """How far payouts are: rows of days up to `through` do not change any more."""

    epoch: int
    through: dt.date

    def extends(self, earlier: "_Settled") -> bool:
        """Whether nothing happened since but that more days were paid.

        Every writer of the state raises its epoch by one; a rebuild swapped in pays no day.
        """
        if self.epoch == earlier.epoch:
            return True
        return self.epoch == earlier.epoch + 1 and self.through > earlier.through


class KeptCopy:
    """The copy beside a connection's lake, as its catalog `kept`; empty until `follow` is called.

    One caller at a time may `follow`; others may read meanwhile: a transaction sees one snapshot.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._snapshot_id: int | None = None
        self._settled: _Settled | None = None
        self._table_names: dict[int, str] = {}
        with connection.cursor() as cursor:
            _create_tables(cursor)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one reader: what names no catalog is read from the copy."""
        with self._connection.cursor() as cursor:
            cursor.execute("use kept")
            cursor.execute("set TimeZone = 'UTC'")
            yield cursor

    def follow(self) -> int:
        """Bring the copy to the newest snapshot of the lake, and say which it is."""
        with self._connection.cursor() as cursor:
            cursor.begin()
            newest = read_snapshot_id(cursor)
            if newest != self._snapshot_id:
                changed = self._changed_tables(cursor, newest)
                settled = _read_settled(cursor)
                if changed is None or self._settled is None or not settled.extends(self._settled):
                    _copy(cursor, KEPT, settled, since=None)
                    self._table_names = dict(cursor.execute(_TABLE_NAMES).fetchall())
                else:
                    _copy(cursor, changed, settled, since=self._settled.through)
                cursor.commit()
                self._snapshot_id, self._settled = newest, settled
        return newest

    def _changed_tables(
        self, cursor: duckdb.DuckDBPyConnection, newest: int
    ) -> frozenset[str] | None:
        """The tables written to since the snapshot we have; None when that is not known."""
        if self._snapshot_id is None:
            return None
        found = [made or "" for _, made in cursor.execute(_CHANGES, [self._snapshot_id]).fetchall()]
        changes = [change for made in found for change in _CHANGE.findall(made)]
        is_known = (
            len(found) == newest - self._snapshot_id  # none of them is forgotten already
            and len(changes) == sum(made.count(":") for made in found)
            and {word for word, _ in changes} <= _WRITING | _HARMLESS
        )
        if not is_known:
            return None
        written = {int(number) for word, number in changes if word in _WRITING}
        return KEPT & {name for number, name in self._table_names.items() if number in written}


def _create_tables(cursor: duckdb.DuckDBPyConnection) -> None:
    """The lake's tables and views, empty; the large tables as views of their two parts."""
    cursor.execute("attach ':memory:' as kept")
    cursor.execute("use kept")
    for path in sorted(TABLES.glob("*.sql")):
        cursor.execute(path.read_text("utf-8"))
    for view in VIEWS:
        cursor.execute(f"alter view {view} rename to {view.partition('.')[2]}_now")
    for table in BY_DAY:
        cursor.execute(f"create table {table}_settled as from {table} limit 0")
        cursor.execute(f"create table {table}_recent as from {table} limit 0")
        cursor.execute(f"drop table {table}")
        cursor.execute(f"create view {table} as from {table}_settled union all from {table}_recent")


def _copy(
    cursor: duckdb.DuckDBPyConnection,
    changed: Collection[str],
    settled: _Settled,
    *,
    since: dt.date | None,
) -> None:
    """Read what changed and put it in the place of what there was.

    `since` is the day up to which settled rows are here already; None: no row is.
    """
    # A table is replaced, not emptied: deleted rows would stay in memory.
    for table in WHOLE.keys() & changed:
        cursor.execute(f"create or replace table kept.{table} as {WHOLE[table]}")
    if since != settled.through:
        changed = {*changed, *BY_DAY}
        into = "create or replace table kept.{} as" if since is None else "insert into kept.{}"
        days = {"after": since or dt.date.min, "through": settled.through}
        for table, query in BY_DAY.items():
            cursor.execute(f"{into.format(f'{table}_settled')} {query}", days)
    days = {"after": settled.through, "through": dt.date.max}
    for table in BY_DAY.keys() & changed:
        cursor.execute(f"create or replace table kept.{table}_recent as {BY_DAY[table]}", days)
    for view, tables in VIEWS.items():
        if not tables.isdisjoint(changed):
            cursor.execute(f"create or replace table kept.{view} as from kept.{view}_now")


def _read_settled(cursor: duckdb.DuckDBPyConnection) -> _Settled:
    row = cursor.execute("select epoch, paid_through from lake.ops.payout_state").fetchone()
    assert row is not None, "ops.payout_state must have a row"
    return _Settled(row[0], row[1] or dt.date.min)
