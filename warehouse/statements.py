"""What a payout's mail tells: the balance before the day, the day's entries and the sum paid.

All sums are made here, in SQL, at one snapshot of the lake; nobody adds up later.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import msgspec

# More entries than this are not listed in a mail, only counted.
ENTRIES_LISTED_MAX = 40
QUERIES = Path(__file__).with_name("queries")


class Announcement(msgspec.Struct, frozen=True):
    """A payout its employee is to be told of; `email` is None when there is no address."""

    entry_id: UUID
    business_date: dt.date
    employee_id: UUID
    amount_cents: int
    email: str | None
    name: str


class StatementEntry(msgspec.Struct, frozen=True):
    """One fee, reward or reversal of the day, with its sign as the employee sees it."""

    occurred_at: dt.datetime
    kind: str
    amount_cents: int
    title: str


class Statement(msgspec.Struct, frozen=True):
    """How one payout came about; `entries` are the first of the day, `count_more` the rest."""

    entry_id: UUID
    business_date: dt.date
    amount_cents: int
    email: str | None
    name: str
    opening_cents: int
    count_fees: int
    fees_cents: int
    count_rewards: int
    rewards_cents: int
    count_reversals: int
    reversals_cents: int
    entries: tuple[StatementEntry, ...]

    @property
    def closing_cents(self) -> int:
        """What the lines leave over after the payout: 0 unless something is wrong."""
        day_cents = self.fees_cents + self.rewards_cents + self.reversals_cents
        return self.opening_cents + day_cents - self.amount_cents

    @property
    def count_more(self) -> int:
        """Entries of the day that are not listed."""
        return self.count_fees + self.count_rewards + self.count_reversals - len(self.entries)


def read_paid_through(connection: duckdb.DuckDBPyConnection) -> dt.date | None:
    """The newest day whose payouts are made; cheap enough to ask every few seconds."""
    row = connection.execute("select max(paid_through) from lake.ops.payout_state").fetchone()
    assert row is not None, "an aggregate always has a row"
    paid_through: dt.date | None = row[0]
    return paid_through


def read_announcements(
    connection: duckdb.DuckDBPyConnection, *, after: dt.date | None
) -> tuple[dt.date | None, list[Announcement]]:
    """Payouts of the days paid after a date (None: all), oldest first, where mail is wanted.

    Also the last of those days, None when no day was paid since.
    """
    rows = connection.execute(_query("announcements"), {"after": after or dt.date.min}).fetchall()
    if not rows:
        return None, []
    paid_through: dt.date = max(row[0] for row in rows)
    announcements = [
        Announcement(entry_id, business_date, employee_id, amount_cents, email or None, name or "")
        for business_date, entry_id, employee_id, amount_cents, email, name in rows
        if entry_id is not None
    ]
    return paid_through, announcements


def read_statements(
    connection: duckdb.DuckDBPyConnection, payouts: Mapping[UUID, dt.date]
) -> dict[UUID, Statement]:
    """The statements of payouts, given by entry id and business date, in one query.

    The answer is by entry id; a payout the lake does not have is absent.
    """
    if not payouts:
        return {}
    values = {
        "entry_ids": [str(entry_id) for entry_id in payouts],
        "first_date": min(payouts.values()),
        "last_date": max(payouts.values()),
        "entries_max": ENTRIES_LISTED_MAX,
    }
    rows = connection.execute(_query("statements"), values).fetchall()
    statements = [_statement(row) for row in rows]
    return {one.entry_id: one for one in statements}


def _statement(row: tuple[Any, ...]) -> Statement:
    facts = dict(zip(Statement.__struct_fields__, row, strict=True))
    facts["entries"] = tuple(StatementEntry(**one) for one in facts["entries"] or ())
    return Statement(**facts)


def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
