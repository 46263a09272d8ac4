"""Which business days can be paid, and what was paid on which."""

import datetime as dt

import duckdb
import msgspec

# A lake made anew starts unpaid: then days before $after are looked at again.
PAYABLE_DAYS = """
select
    certificate.business_date,
    certificate.business_date <= coalesce(paid.paid_through, $never) as is_paid
from lake.ledger.certificates as certificate
cross join lake.ops.ingest_state as state
cross join lake.ops.payout_state as paid
where certificate.business_date > least($after, coalesce(paid.paid_through, $never))
    and certificate.last_position <= state.contiguous_position
order by certificate.business_date
"""
PAID_DAYS = """
select business_date, count_payouts, payouts_cents, paid_at
from lake.ledger.paid_days
where business_date between $first and $last
"""
PAY_STANDING = """
select
    least(
        (select min(business_date) from lake.ledger.account_days),
        (select min(business_date) from lake.ledger.certificates)
    ) as first_date,
    paid_through,
from lake.ops.payout_state
"""


class PayStanding(msgspec.Struct, frozen=True):
    """The first business day there ever was, and the newest that is paid; None without one."""

    first_date: dt.date | None
    paid_through: dt.date | None


class PayableDay(msgspec.Struct, frozen=True):
    """A certified day all of whose events have arrived."""

    business_date: dt.date
    is_paid: bool


class PaidDaySums(msgspec.Struct, frozen=True):
    """What one business day's payouts came to."""

    business_date: dt.date
    count_payouts: int
    payouts_cents: int
    paid_at: dt.datetime


def read_payable_days(
    connection: duckdb.DuckDBPyConnection, *, after: dt.date | None = None
) -> list[PayableDay]:
    """Certified days that have arrived whole, oldest first: the unpaid, and those after a date."""
    values = {"after": after or dt.date.min, "never": dt.date.min}
    rows = connection.execute(PAYABLE_DAYS, values).fetchall()
    return [PayableDay(*row) for row in rows]


def read_paid_days(
    connection: duckdb.DuckDBPyConnection, *, first: dt.date, last: dt.date
) -> dict[dt.date, PaidDaySums]:
    """The paid days from `first` to `last`, by date."""
    rows = connection.execute(PAID_DAYS, {"first": first, "last": last}).fetchall()
    return {row[0]: PaidDaySums(*row) for row in rows}


def read_pay_standing(connection: duckdb.DuckDBPyConnection) -> PayStanding:
    """How far payouts have come since the beginning."""
    row = connection.execute(PAY_STANDING).fetchone()
    assert row is not None, "the payout state is one row"
    return PayStanding(*row)
