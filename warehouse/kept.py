"""The kept aggregates in memory, as of one snapshot of the lake: where pages read their figures.

A scan of the lake costs some milliseconds before its first row (round trips to the catalog, a file
to open for each few commits), and a page makes a dozen of them. The copy has the same tables and
views under the same names in a catalog of its own, so a query that names no catalog reads either.
It follows the lake by adding the rows that newer snapshots added. Tables that changed otherwise are
read again, and of the large ones only the days that are not paid: a paid day never changes.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from warehouse.kept_changes import (
    ANYTHING,
    Catalog,
    Change,
    read_catalog,
    read_changes,
    rows_of,
)
from warehouse.reading import read_snapshot_id
from warehouse.recent import RECENT, copy_recent, create_recent

TABLES = Path(__file__).with_name("tables")
# Tables that grow with every day and employee; kept in two parts, what is settled and what is not.
# In the order by which pages look for rows, so that a look passes over the rest.
BY_DAY: Final = {
    "ledger.account_days": """
        select
            account,
            business_date,
            sum(fees_cents)::bigint as fees_cents,
            sum(rewards_cents)::bigint as rewards_cents,
            sum(payouts_cents)::bigint as payouts_cents,
            sum(count_entries)::bigint as count_entries,
        from {}
        where business_date > $after and business_date <= $through
        group by account, business_date
        order by account, business_date
    """,
    "ledger.payouts": """
        select * from {}
        where business_date > $after and business_date <= $through
        order by business_date
    """,
}
# Tables with a few thousand rows in all, or about as many as there are open tasks.
WHOLE: Final = {
    **dict.fromkeys(
        (
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
        ),
        "select * from {}",
    ),
    # What waits there, without the records themselves.
    "raw.quarantine": """
        select * replace (null::blob as record) from {} where settled_as is null
    """,
}
KEPT: Final = frozenset({*BY_DAY, *WHOLE})
# Views that are calculated once a snapshot instead of once a query, and the tables they stand on.
VIEWS: Final = {
    "marts.employees": {"marts.employee_versions"},
    "marts.balances": {"ledger.account_days"},
    "marts.company_days": {"ledger.account_days"},
    "marts.completions": {"marts.finished_tasks", "marts.unfinished_tasks"},
    "ops.lake_state": {
        "ledger.account_days", "ledger.certificates", "ledger.paid_days", "ops.ingest_state",
    },
}  # fmt: skip
# The same for views over a table in two parts while its settled part stays as it is.
VIEWS_OF_RECENT: Final = {
    "marts.balances": """
        select
            account,
            sum(balance_cents)::bigint as balance_cents,
            sum(count_entries)::bigint as count_entries,
        from (
            from kept.marts.balances_settled
            union all
            select account, fees_cents + rewards_cents + payouts_cents, count_entries
            from kept.ledger.account_days_recent
        )
        group by account
    """,
    "marts.company_days": """
        select * from kept.marts.company_days where business_date <= $through
        union all
        select * from kept.marts.company_days_now where business_date > $through
    """,
}
_COLUMNS = """
select schema_name || '.' || table_name, list(column_name order by column_index)
from duckdb_columns()
where database_name = 'kept'
group by all
"""


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
        self._catalog = Catalog({})
        with connection.cursor() as cursor:
            self._columns = _create_tables(cursor)

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
                settled = self._catch_up(cursor, newest)
                cursor.commit()
                self._snapshot_id, self._settled = newest, settled
        return newest

    def _catch_up(self, cursor: duckdb.DuckDBPyConnection, newest: int) -> _Settled:
        changes = None
        if self._snapshot_id is not None:
            changes = read_changes(
                cursor, self._catalog, [*KEPT, *RECENT], since=self._snapshot_id, newest=newest
            )
        settled = self._settled
        if changes is None or settled is None or "ops.payout_state" in changes:
            settled = _read_settled(cursor)
        if changes is None or self._settled is None or not settled.extends(self._settled):
            self._catalog = read_catalog(cursor)
            _copy(cursor, dict.fromkeys(KEPT, ANYTHING), self._columns, settled, since=None)
            copy_recent(cursor, None, self._columns, settled.through)
            return settled
        kept = {name: change for name, change in changes.items() if name in KEPT}
        _copy(cursor, kept, self._columns, settled, since=self._settled.through)
        is_paid = settled.through != self._settled.through
        copy_recent(cursor, None if is_paid else changes, self._columns, settled.through)
        return settled


def _create_tables(cursor: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The lake's tables and views, empty; the large tables as views of their two parts.

    Returns the columns of the lake's tables.
    """
    cursor.execute("attach ':memory:' as kept")
    cursor.execute("use kept")
    for path in sorted(TABLES.glob("*.sql")):
        cursor.execute(path.read_text("utf-8"))
    columns = dict(cursor.execute(_COLUMNS).fetchall())
    for view in VIEWS:
        cursor.execute(f"alter view {view} rename to {view.partition('.')[2]}_now")
    for table in BY_DAY:
        cursor.execute(f"create table {table}_settled as from {table} limit 0")
        cursor.execute(f"create table {table}_recent as from {table} limit 0")
        cursor.execute(f"drop table {table}")
        cursor.execute(f"create view {table} as from {table}_settled union all from {table}_recent")
    create_recent(cursor)
    return columns


def _copy(
    cursor: duckdb.DuckDBPyConnection,
    changed: Mapping[str, Change],
    columns: Mapping[str, list[str]],
    settled: _Settled,
    *,
    since: dt.date | None,
) -> None:
    """Read what changed and add it to what there was, or put it in its place.

    `since` is the day up to which settled rows are here already; None: no row is.
    """
    if is_settled_anew := since != settled.through:
        _copy_settled(cursor, settled.through, since)
        changed = {**changed, **dict.fromkeys(BY_DAY, ANYTHING)}
    days = {"after": settled.through, "through": dt.date.max}
    for table, change in changed.items():
        rows = rows_of(table, change, columns[table])
        # A table is replaced, not emptied: deleted rows would stay in memory.
        into = "insert into kept.{}" if change.is_addition else "create or replace table kept.{} as"
        if table in BY_DAY:
            query = f"{into.format(table + '_recent')} {BY_DAY[table].format(rows)}"
            cursor.execute(query, days)
        else:
            cursor.execute(f"{into.format(table)} {WHOLE[table].format(rows)}")
    _calculate_views(cursor, changed, None if is_settled_anew else settled.through)


def _copy_settled(
    cursor: duckdb.DuckDBPyConnection, through: dt.date, since: dt.date | None
) -> None:
    """Add the days that were paid since; None: they are all that there is."""
    into = "create or replace table kept.{} as" if since is None else "insert into kept.{}"
    days = {"after": since or dt.date.min, "through": through}
    for table, query in BY_DAY.items():
        cursor.execute(f"{into.format(f'{table}_settled')} {query.format(f'lake.{table}')}", days)
    cursor.execute(
        "create or replace table kept.marts.balances_settled as"
        " select account, sum(fees_cents + rewards_cents + payouts_cents) as balance_cents,"
        " sum(count_entries) as count_entries"
        " from kept.ledger.account_days_settled group by account"
    )


def _calculate_views(
    cursor: duckdb.DuckDBPyConnection, changed: Iterable[str], through: dt.date | None
) -> None:
    """`through` is the last day whose rows are as they were; None: any may have changed."""
    for view, tables in VIEWS.items():
        if tables.isdisjoint(changed):
            continue
        if through is not None and view in VIEWS_OF_RECENT:
            query, values = VIEWS_OF_RECENT[view], {"through": through}
            used = values if "$through" in query else None
            cursor.execute(f"create or replace table kept.{view} as {query}", used)
        else:
            cursor.execute(f"create or replace table kept.{view} as from kept.{view}_now")


def _read_settled(cursor: duckdb.DuckDBPyConnection) -> _Settled:
    row = cursor.execute("select epoch, paid_through from lake.ops.payout_state").fetchone()
    assert row is not None, "ops.payout_state must have a row"
    return _Settled(row[0], row[1] or dt.date.min)
