"""What would be paid: the days up to a date by the rule that pays them, without paying.

Days that are still open count as if they were closed now.
"""

import datetime as dt
from pathlib import Path
from typing import Literal
from uuid import UUID

import duckdb
import msgspec

from warehouse.models import model
from warehouse.payouts import PAYOUT_NAMESPACE, Examination, examine_here

QUERIES = Path(__file__).with_name("queries")

# due: would be paid now; open: not closed yet; waiting: not all of its events have arrived;
# stopped: its certificate disagrees, or that of a day before it does.
DayState = Literal["due", "open", "waiting", "stopped"]


class DayOutlook(msgspec.Struct, frozen=True):
    """One unpaid business day, and what its payouts would come to as things stand."""

    business_date: dt.date
    state: DayState
    count_payouts: int
    payouts_cents: int


class PayoutOutlook(msgspec.Struct, frozen=True):
    """One payout that would be made; `name` is None for somebody the lake does not know yet."""

    business_date: dt.date
    employee_id: UUID
    name: str | None
    amount_cents: int


class Outlook(msgspec.Struct, frozen=True):
    """All unpaid days up to a date, oldest first, and their payouts.

    `difference` says in words what stops the first stopped day.
    """

    days: list[DayOutlook]
    payouts: list[PayoutOutlook]
    difference: str | None

    @property
    def due_cents(self) -> int:
        """What paying now would pay."""
        return sum(day.payouts_cents for day in self.days if day.state == "due")


def preview_payouts(
    connection: duckdb.DuckDBPyConnection, *, through: dt.date | None = None
) -> Outlook:
    """What would be paid for every unpaid day up to `through` (else: up to the newest there is).

    Reads one snapshot of the lake and changes nothing.
    """
    connection.begin()
    try:
        examination = examine_here(connection, through)
        [(first, last)] = connection.execute(_query("unpaid_span"), {"through": through}).fetchall()
        if first is None or last is None or first > last:
            return Outlook([], [], None)
        span = {"first_date": first, "last_date": last}
        connection.execute(
            f"create or replace temp table new_payouts as {model('payouts')}",
            {**span, "namespace": PAYOUT_NAMESPACE.hex},
        )
        rows = connection.execute(
            model("payout_days"), {**span, "paid_at": dt.datetime.now(dt.UTC)}
        ).fetchall()
        payouts = connection.execute(_query("payout_outlook")).fetchall()
    finally:
        connection.rollback()
    days = [DayOutlook(row[0], _state(row[0], examination), row[1], row[2]) for row in rows]
    difference = None if examination.mismatch is None else str(examination.mismatch)
    return Outlook(days, [PayoutOutlook(*row) for row in payouts], difference)


def _state(date: dt.date, examination: Examination) -> DayState:
    if examination.mismatch is not None and date >= examination.mismatch.business_date:
        return "stopped"
    if any(day.business_date == date for day in examination.payable):
        return "due"
    return "waiting" if date in examination.waiting else "open"


def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
