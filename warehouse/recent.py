"""The entries of the newest days in memory, beside the copy of the kept aggregates.

Pages open with the newest entries of an account, and with the newest paid day: these days lie in
the copy under the names they have in the lake, with the columns that pages read. What is older is
read from the lake by the same queries.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import duckdb
import msgspec

from warehouse.kept_changes import ANYTHING, Change, rows_of
from warehouse.reading import text_of

PAID_DAYS: Final = 7  # beside those that are not paid
ENTRIES_MAX: Final = 200_000  # fewer days if they have more
S = TypeVar("S", bound=msgspec.Struct)
# The queries give the columns of the tables below; `{}` is where the rows come from.
RECENT: Final = {
    "ledger.postings": """
        select * exclude (event_id)
        from {}
        where business_date >= (select first_date from kept.ops.recent_days)
            and account not in ('company', 'cash')
    """,
    "raw.events": """
        select business_date, type
        from {}
        where business_date >= (select first_date from kept.ops.recent_days)
    """,
    # Of all open tasks and of those with an entry in these days.
    "marts.tasks_created": "select task_id, jira_id from {} where jira_id is not null",
}
# What is read at once, beside that: one's own entries lie together.
_OF_THESE: Final = {
    "ledger.postings": "order by account",
    "marts.tasks_created": """
        and (
            task_id in (select task_id from kept.marts.unfinished_tasks)
            or task_id in (select task_id from kept.ledger.postings)
        )
    """,
}
_FIRST_DATE = """
select coalesce(max(business_date) filter (count_through > $count_max) + 1, $oldest)
from (
    select
        business_date,
        sum(sum(count_entries)) over (order by business_date desc) as count_through,
    from kept.ledger.account_days
    where account = 'company' and business_date >= $oldest
    group by business_date
)
"""


def create_recent(cursor: duckdb.DuckDBPyConnection) -> None:
    """The tables, empty, of no day."""
    cursor.execute("create table kept.ops.recent_days (first_date date not null)")
    cursor.execute("insert into kept.ops.recent_days values ($1)", [dt.date.max])
    for table, query in RECENT.items():
        rows = query.format(f"kept.{table}")
        cursor.execute(f"create or replace table kept.{table} as {rows}")


def copy_recent(
    cursor: duckdb.DuckDBPyConnection,
    changes: Mapping[str, Change] | None,
    columns: Mapping[str, list[str]],
    through: dt.date,
) -> None:
    """Add what is new, or read the newest days again; None: nothing is known of what changed.

    The copy of the kept aggregates is up to date already; `through` is the newest paid day.
    """
    ours = None if changes is None else {name: changes[name] for name in RECENT if name in changes}
    if ours is None or not all(each.is_addition for each in ours.values()):
        _copy_days(cursor, columns, through)
        return
    for table, change in ours.items():
        query = RECENT[table].format(rows_of(table, change, columns[table]))
        cursor.execute(f"insert into kept.{table} {query}")
    count = cursor.execute("select count(*) from kept.ledger.postings").fetchone()
    if count is not None and count[0] > 2 * ENTRIES_MAX:
        _copy_days(cursor, columns, through)


def recent_rows(
    connection: duckdb.DuckDBPyConnection,
    kind: type[S],
    query: str,
    *,
    first: dt.date,
    **values: Any,
) -> list[S]:
    """The rows of a file of `queries` about days from `first` on, from memory if it has them all.

    To be called within a `snapshot`: the days in memory move on.
    """
    text = text_of(query)
    if first >= _first_date(connection):
        text = text.replace("lake.", "")
    named = {"first": first, **values} if "$first" in text else values
    return [kind(*row) for row in connection.execute(text, named).fetchall()]


def _first_date(connection: duckdb.DuckDBPyConnection) -> dt.date:
    """The first day whose entries are in memory; of a connection without a copy: none is."""
    try:
        found = connection.execute("select first_date from ops.recent_days").fetchone()
    except duckdb.CatalogException:
        return dt.date.max
    assert found is not None, "the table has one row"
    first_date: dt.date = found[0]
    return first_date


def _copy_days(
    cursor: duckdb.DuckDBPyConnection, columns: Mapping[str, list[str]], through: dt.date
) -> None:
    is_early = through < dt.date.min + dt.timedelta(days=PAID_DAYS)
    oldest = dt.date.min if is_early else through - dt.timedelta(days=PAID_DAYS - 1)
    values = {"count_max": ENTRIES_MAX, "oldest": oldest}
    found = cursor.execute(_FIRST_DATE, values).fetchone()
    assert found is not None, "an aggregate has a row"
    cursor.execute("update kept.ops.recent_days set first_date = $1", [found[0]])
    for table, query in RECENT.items():
        rows = query.format(rows_of(table, ANYTHING, columns[table])) + _OF_THESE.get(table, "")
        # A table is replaced, not emptied: deleted rows would stay in memory.
        cursor.execute(f"create or replace table kept.{table} as {rows}")
