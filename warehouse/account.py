"""One employee's own account: balance, statement by day, audit log, payouts, and why a sum is so.

Everybody may read their own and nobody another's. Amounts are integer cents with the sign with
which they move the account; all sums are made in SQL.
"""

import datetime as dt
from typing import Literal
from uuid import UUID

import duckdb
import msgspec

from warehouse.reading import (
    LakeState,
    Reader,
    read_lake_state,
    require_self,
    rows,
    snapshot,
)

Kind = Literal["fee", "reward", "payout", "reversal"]
KINDS: tuple[Kind, ...] = ("fee", "reward", "payout", "reversal")
DAYS_MAX = 3_660  # ten years
ENTRIES_MAX = 1_000_000


class AccountDay(msgspec.Struct, frozen=True):
    """One business day: opening + fees + rewards + payouts = closing."""

    business_date: dt.date
    opening_cents: int
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    closing_cents: int
    count_entries: int
    is_closed: bool

    @property
    def earned_cents(self) -> int:
        """What the day's work came to, payouts apart; may be negative."""
        return self.fees_cents + self.rewards_cents


class OwnPayout(msgspec.Struct, frozen=True):
    """A positive balance that left at the end of a day."""

    entry_id: UUID
    business_date: dt.date
    amount_cents: int


class Account(msgspec.Struct, frozen=True):
    """Everything My account shows above its audit log, from one snapshot.

    `days` go from the span's first to its last, and the sums are theirs; the balance is that of
    this moment.
    """

    state: LakeState
    balance_cents: int
    today: AccountDay
    days: list[AccountDay]
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    payouts: list[OwnPayout]


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


def read_account(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    employee_id: UUID,
    local_date: dt.date,
    count_days: int,
    last: dt.date | None = None,
) -> Account:
    """`count_days` business days of the account up to `last`, or up to today.

    Raises ReadRefusedError.
    """
    require_self(reader, employee_id)
    assert 1 <= count_days <= DAYS_MAX
    with snapshot(connection):
        state = read_lake_state(connection)
        today = state.today(local_date)
        last = last or today
        first = last - dt.timedelta(days=count_days - 1)
        [now] = _days(connection, employee_id, today, today)
        account, dates = str(employee_id), {"first": first, "last": last}
        [sums] = rows(connection, _Sums, "own_sums", account=account, **dates)
        return Account(
            state=state,
            balance_cents=now.closing_cents,
            today=now,
            days=_days(connection, employee_id, first, last),
            fees_cents=sums.fees_cents,
            rewards_cents=sums.rewards_cents,
            payouts_cents=sums.payouts_cents,
            payouts=rows(connection, OwnPayout, "own_payouts", employee_id=employee_id, **dates),
        )


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
    found = rows(
        connection, _EntryRow, "own_entries",
        account=str(employee_id), first=first, last=last, kinds=list(kinds), text=text.strip(),
        count_max=count_max, count_skipped=count_skipped,
    )  # fmt: skip
    if not found:
        return Entries(0, 0, 0, 0, 0, [])
    head = found[0]
    return Entries(
        head.count_matching, head.fees_cents, head.rewards_cents, head.payouts_cents,
        head.total_cents, [each.entry() for each in found],
    )  # fmt: skip


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
    with snapshot(connection):
        entries = read_entries(
            connection, reader=reader, employee_id=employee_id,
            first=business_date, last=business_date,
        )  # fmt: skip
        entry = next((each for each in entries.page if each.entry_id == entry_id), None)
        if entry is None:
            return None
        causes = rows(connection, Cause, "entry_cause", entry_id=entry_id, on=business_date)
        [day] = _days(connection, employee_id, business_date, business_date)
    return Explanation(entry, causes[0] if causes else None, day)


class _Sums(msgspec.Struct, frozen=True):
    fees_cents: int
    rewards_cents: int
    payouts_cents: int


class _EntryRow(Entry, frozen=True):
    count_matching: int
    fees_cents: int
    rewards_cents: int
    payouts_cents: int
    total_cents: int

    def entry(self) -> Entry:
        return Entry(*(getattr(self, name) for name in Entry.__struct_fields__))


def _days(
    connection: duckdb.DuckDBPyConnection, employee_id: UUID, first: dt.date, last: dt.date
) -> list[AccountDay]:
    return rows(
        connection, AccountDay, "own_days", account=str(employee_id), first=first, last=last
    )
