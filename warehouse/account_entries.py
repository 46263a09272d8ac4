"""The audit log of one's own account, entry by entry, and why a sum is as it is.

Everybody may read their own and nobody another's. Amounts are integer cents with the sign with
which they move the account; all sums are made in SQL.
"""

import datetime as dt
from typing import Literal
from uuid import UUID

import duckdb
import msgspec

from warehouse.account import AccountDay, read_account_day
from warehouse.reading import Reader, require_self, rows, snapshot, text_of
from warehouse.recent import recent_rows

Kind = Literal["fee", "reward", "payout", "reversal"]
KINDS: tuple[Kind, ...] = ("fee", "reward", "payout", "reversal")
ENTRIES_MAX = 1_000_000


class Entry(msgspec.Struct, frozen=True):
    """One line of the audit log; the balance is the account's after it, whatever is filtered."""

    entry_id: UUID
    kind: Kind
    amount_cents: int
    balance_cents: int
    business_date: dt.date
    occurred_at: dt.datetime
    task_id: UUID | None
    title: str | None
    jira_id: str | None


class Entries(msgspec.Struct, frozen=True):
    """A page of entries, newest first, and what all that match the filter add up to."""

    count_entries: int
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    total_cents: int
    page: list[Entry]


NO_ENTRIES = Entries(0, 0, 0, 0, 0, [])


class Cause(msgspec.Struct, frozen=True):
    """The event that made an entry; `data` is its JSON as it was published."""

    position: int
    event_id: UUID
    type: str
    version: int
    sequence: int
    occurred_at: dt.datetime
    correlation_id: UUID
    data: str


class Explanation(msgspec.Struct, frozen=True):
    """Why an entry is so: its event, or, for a payout, the day that left this balance."""

    entry: Entry
    cause: Cause | None
    day: AccountDay


def read_account_version(
    connection: duckdb.DuckDBPyConnection, *, reader: Reader, employee_id: UUID
) -> tuple[int, int]:
    """How many entries the account has, and how many days are closed: both are only added to.

    The same numbers, the same account.

    Raises ReadRefusedError.
    """
    require_self(reader, employee_id)
    found = connection.execute(text_of("own_version"), {"account": str(employee_id)}).fetchone()
    assert found is not None, "an aggregate has a row"
    count_entries, count_closed = found
    return count_entries, count_closed


def read_entries(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    employee_id: UUID,
    first: dt.date,
    last: dt.date,
    kinds: tuple[Kind, ...] = KINDS,
    text: str = "",
    count_max: int = ENTRIES_MAX,
    count_skipped: int = 0,
) -> Entries:
    """The audit log of some days: entries of some kinds whose title or Jira id holds a text.

    Raises ReadRefusedError.
    """
    require_self(reader, employee_id)
    assert 1 <= count_max <= ENTRIES_MAX
    asked = _Asked(str(employee_id), first, last, kinds, text.strip(), count_max, count_skipped)
    with snapshot(connection):
        return _all_entries(connection, asked) if asked.is_for_all else _some(connection, asked)


def read_explanation(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    employee_id: UUID,
    entry_id: UUID,
    business_date: dt.date,
) -> Explanation | None:
    """Why an entry of this account and day is so; None if there is no such entry.

    Raises ReadRefusedError.
    """
    require_self(reader, employee_id)
    asked = _Asked(str(employee_id), business_date, business_date, KINDS, "", ENTRIES_MAX, 0)
    with snapshot(connection):
        entries = _all_entries(connection, asked)
        entry = next((each for each in entries.page if each.entry_id == entry_id), None)
        if entry is None:
            return None
        causes = rows(connection, Cause, "entry_cause", entry_id=entry_id, on=business_date)
        day = read_account_day(connection, employee_id, business_date)
    return Explanation(entry, causes[0] if causes else None, day)


class _Asked(msgspec.Struct, frozen=True):
    """Which entries; the fields are the parameters of `own_entries`."""

    account: str
    first: dt.date
    last: dt.date
    kinds: tuple[Kind, ...]
    text: str
    count_max: int
    count_skipped: int

    @property
    def is_for_all(self) -> bool:
        """Whether every entry of the days matches."""
        return not self.text and {*KINDS} == {*self.kinds}


class _Page(msgspec.Struct, frozen=True):
    count_matching: int
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    total_cents: int
    first_date: dt.date | None
    last_date: dt.date | None
    count_skipped: int
    closing_cents: int


class _EntryRow(Entry, frozen=True):
    count_matching: int
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    total_cents: int

    def entry(self) -> Entry:
        return Entry(*(getattr(self, name) for name in Entry.__struct_fields__))


def _all_entries(connection: duckdb.DuckDBPyConnection, asked: _Asked) -> Entries:
    """Without a filter the totals are kept, and only the days of the page need be read."""
    [page] = rows(
        connection, _Page, "own_pages",
        account=asked.account, first=asked.first, last=asked.last,
        count_max=asked.count_max, count_skipped=asked.count_skipped,
    )  # fmt: skip
    entries: list[Entry] = []
    if page.first_date is not None and page.last_date is not None:
        entries = recent_rows(
            connection, Entry, "own_newest",
            account=asked.account, first=page.first_date, last=page.last_date,
            closing_cents=page.closing_cents,
            count_max=asked.count_max, count_skipped=page.count_skipped,
        )  # fmt: skip
    return Entries(
        page.count_matching, page.fees_cents, page.rewards_cents, page.payouts_cents,
        page.total_cents, entries,
    )  # fmt: skip


def _some(connection: duckdb.DuckDBPyConnection, asked: _Asked) -> Entries:
    """With a filter the totals are those of the entries that match."""
    values = msgspec.structs.asdict(asked) | {"kinds": list(asked.kinds)}
    found = recent_rows(connection, _EntryRow, "own_entries", **values)
    if not found:
        return NO_ENTRIES
    head = found[0]
    return Entries(
        head.count_matching, head.fees_cents, head.rewards_cents, head.payouts_cents,
        head.total_cents, [each.entry() for each in found],
    )  # fmt: skip
