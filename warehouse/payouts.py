"""Pays the closed business days: every certified day in order, in one transaction, exactly once.

A day is paid only when every position up to its certificate has arrived, none of them waits in
quarantine, and the certificate's count and sums agree with the lake's own (and what was discarded).
The first day that disagrees stops everything after it.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import duckdb

from warehouse.crash import crash_point
from warehouse.durability import sync_new_files
from warehouse.ingest import Clock, utc_now
from warehouse.lake import RivalError, transaction
from warehouse.models import model
from warehouse.state import read_contiguous_position

PAYOUT_NAMESPACE = UUID("0b5d4a1c-5f0e-5c39-8a51-3c1f6b9c7f52")
FIRST_DATE_EVER = dt.date(1970, 1, 1)
ONE_DAY = dt.timedelta(days=1)
ATTEMPTS_MAX = 5


@dataclass(frozen=True)
class PaidDay:
    """One business day whose payouts are made."""

    business_date: dt.date
    count_payouts: int
    payouts_cents: int


@dataclass(frozen=True)
class DayFigures:
    """What a day adds up to, by its certificate or by the lake."""

    count_events: int
    fees_cents: int
    rewards_cents: int


class CertificateMismatch(RuntimeError):  # noqa: N818 - the name says what happened
    """A closed day does not add up; it and every later day stay unpaid until it does.

    `expected` is what the certificate says (None: the day has no certificate although a later one
    has), `found` what the lake holds; `count_waiting` events up to the day's end are in quarantine.
    """

    def __init__(
        self,
        business_date: dt.date,
        expected: DayFigures | None,
        found: DayFigures,
        count_waiting: int,
    ) -> None:
        reasons = _differences(expected, found)
        if count_waiting:
            reasons.append(f"{count_waiting} events up to its end wait in quarantine")
        super().__init__(f"{business_date} is not paid: {'; '.join(reasons)}")
        self.business_date = business_date
        self.expected = expected
        self.found = found
        self.count_waiting = count_waiting


@dataclass(frozen=True)
class DueDay:
    """A certified day that is not paid: what its certificate says, and what the lake holds."""

    business_date: dt.date
    last_position: int
    expected: DayFigures
    found: DayFigures
    count_waiting: int


@dataclass(frozen=True)
class Examination:
    """The certified unpaid days, oldest first: those to be paid now, and what stops the others.

    `waiting` have not arrived whole; `mismatch` is the first day that does not add up, after which
    nothing is paid.
    """

    payable: list[DueDay]
    waiting: list[dt.date]
    mismatch: CertificateMismatch | None


def pay_due_days(
    connection: duckdb.DuckDBPyConnection,
    *,
    through: dt.date | None = None,
    clock: Clock = utc_now,
) -> list[PaidDay]:
    """Pay every certified unpaid day up to `through`, oldest first; a re-run pays nothing.

    Meets another payout run cleanly: whoever comes second finds nothing left to pay. Raises
    CertificateMismatch for the first day that disagrees, after the days before it are paid, and
    RivalError when others kept changing the same rows.
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            paid, mismatch = _pay_once(connection, through, clock)
        except RivalError:
            if attempt == ATTEMPTS_MAX:
                raise
        else:
            break
    if mismatch is not None:
        raise mismatch
    return paid


def examine_due_days(
    connection: duckdb.DuckDBPyConnection, *, through: dt.date | None = None
) -> Examination:
    """What `pay_due_days` would pay and what would stop it, at one snapshot; changes nothing."""
    connection.begin()
    try:
        return examine_here(connection, through)
    finally:
        connection.rollback()


def examine_here(
    connection: duckdb.DuckDBPyConnection, through: dt.date | None = None
) -> Examination:
    """The same inside the caller's transaction."""
    _, paid_through = _read_payout_state(connection)
    return _examine(connection, paid_through, through)


def _pay_once(
    connection: duckdb.DuckDBPyConnection, through: dt.date | None, clock: Clock
) -> tuple[list[PaidDay], CertificateMismatch | None]:
    with transaction(connection):
        epoch, paid_through = _read_payout_state(connection)
        found = _examine(connection, paid_through, through)
        paid = _pay(connection, found.payable, epoch, clock()) if found.payable else []
    crash_point("after-payout-commit")
    return paid, found.mismatch


def _read_payout_state(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[int, dt.date | None]:
    rows = connection.execute("select epoch, paid_through from ops.payout_state").fetchall()
    assert len(rows) == 1, f"ops.payout_state must have one row, not {len(rows)}"
    return rows[0]


def _examine(
    connection: duckdb.DuckDBPyConnection,
    paid_through: dt.date | None,
    through: dt.date | None,
) -> Examination:
    contiguous_position = read_contiguous_position(connection)
    first_date = FIRST_DATE_EVER if paid_through is None else paid_through + ONE_DAY
    rows = connection.execute(model("due_days"), {"first_date": first_date}).fetchall()
    days = [
        DueDay(row[0], row[1], DayFigures(*row[2:5]), DayFigures(*row[5:8]), row[8]) for row in rows
    ]
    days = [day for day in days if through is None or day.business_date <= through]
    arrived = [day for day in days if day.last_position <= contiguous_position]
    waiting = [day.business_date for day in days if day.last_position > contiguous_position]
    payable, mismatch = _check(arrived, paid_through)
    return Examination(payable, waiting, mismatch)


def _check(
    days: list[DueDay], paid_through: dt.date | None
) -> tuple[list[DueDay], CertificateMismatch | None]:
    """The days that may be paid, and what is wrong with the one after them."""
    payable: list[DueDay] = []
    expected_date = None if paid_through is None else paid_through + ONE_DAY
    for day in days:
        if expected_date is not None and day.business_date > expected_date:
            nothing = DayFigures(0, 0, 0)
            return payable, CertificateMismatch(expected_date, None, nothing, day.count_waiting)
        if day.expected != day.found or day.count_waiting:
            return payable, CertificateMismatch(
                day.business_date, day.expected, day.found, day.count_waiting
            )
        payable.append(day)
        expected_date = day.business_date + ONE_DAY
    return payable, None


def _pay(
    connection: duckdb.DuckDBPyConnection,
    days: list[DueDay],
    epoch: int,
    now: dt.datetime,
) -> list[PaidDay]:
    span = {"first_date": days[0].business_date, "last_date": days[-1].business_date}
    connection.execute(
        f"create or replace temp table new_payouts as {model('payouts')}",
        {**span, "namespace": PAYOUT_NAMESPACE.hex},
    )
    _advance_payout_state(connection, epoch, days[-1].business_date)
    stamped = {**span, "paid_at": now}
    connection.execute(f"insert into ledger.paid_days by name {model('payout_days')}", stamped)
    rows = connection.execute(model("payout_days"), stamped).fetchall()
    paid = [PaidDay(*row[:3]) for row in rows]
    assert len(paid) == len(days), "one line per day"
    count_payouts = sum(day.count_payouts for day in paid)
    if count_payouts:
        _insert_payouts(connection, count_payouts)
    fault = connection.execute(model("payout_faults"), span).fetchone()
    assert fault is None, f"account, day, balance after payout: {fault}"
    sync_new_files(connection)
    crash_point("before-payout-commit")
    return paid


def _insert_payouts(connection: duckdb.DuckDBPyConnection, count_payouts: int) -> None:
    unbalanced = connection.execute(
        f"with batch_postings as ({model('payout_postings')}) {model('unbalanced_entries')}"
    ).fetchone()
    assert unbalanced is None, f"payout {unbalanced} does not sum to zero over two postings"
    for table, source, count in (
        ("ledger.payouts", "from new_payouts", count_payouts),
        ("ledger.postings", model("payout_postings"), 2 * count_payouts),
        ("ledger.account_days", model("payout_account_days"), None),
    ):
        inserted = connection.execute(f"insert into {table} by name {source}").fetchone()
        assert count is None or inserted == (count,), f"{table}: {inserted} rows, not {count}"


def _advance_payout_state(
    connection: duckdb.DuckDBPyConnection, epoch: int, paid_through: dt.date
) -> None:
    changed = connection.execute(
        "update ops.payout_state set epoch = $2, paid_through = $3 where epoch = $1",
        [epoch, epoch + 1, paid_through],
    ).fetchone()
    if changed != (1,):
        raise RivalError(f"another payout run moved on from epoch {epoch}")


def _differences(expected: DayFigures | None, found: DayFigures) -> list[str]:
    if expected is None:
        return ["it has no certificate, although a later day has one"]
    return [
        f"{name}: certificate {getattr(expected, name)}, lake {getattr(found, name)}"
        for name in ("count_events", "fees_cents", "rewards_cents")
        if getattr(expected, name) != getattr(found, name)
    ]
