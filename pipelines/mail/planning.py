"""From payouts to deliveries: every payout somebody wants to be told of gets its one row."""

import datetime as dt

import duckdb
from sqlalchemy import Connection, Engine, text

from pipelines.mail.message import message_id
from pipelines.mail.retry import BLOCKED_DELAY
from warehouse.statements import Announcement, read_announcements, read_paid_through

PAGE_ROWS = 5_000
NO_ADDRESS = "the employee has no mail address"

PLANNED_THROUGH = text("select planned_through from mail.planning for update")
ADVANCE = text("update mail.planning set planned_through = :through")
INSERT = text("""
insert into mail.deliveries (
    delivery_id, business_date, employee_id, email, name, amount_cents, message_id,
    state, last_error, next_attempt_at, planned_at
)
select
    delivery_id, business_date, employee_id, email, name, amount_cents, message_id,
    case when email is null then 'blocked' else 'pending' end,
    case when email is null then :no_address end,
    case when email is null then :blocked_until else :now end,
    :now
from unnest(
    cast(:delivery_id as uuid[]), cast(:business_date as date[]), cast(:employee_id as uuid[]),
    cast(:email as text[]), cast(:name as text[]), cast(:amount_cents as bigint[]),
    cast(:message_id as text[])
) as planned(delivery_id, business_date, employee_id, email, name, amount_cents, message_id)
on conflict do nothing
""")


def plan_deliveries(
    lake: duckdb.DuckDBPyConnection, engine: Engine, *, mail_from: str, now: dt.datetime
) -> int:
    """Insert the missing deliveries of all paid days whose certificate wants mail; their count.

    Days are looked at once: `mail.planning` remembers how far, in the same transaction. Two
    planners at once take turns; a payout that has its row keeps it as it is.
    """
    with engine.begin() as connection:
        planned_through = connection.scalar(PLANNED_THROUGH)
        if read_paid_through(lake) == planned_through:
            return 0
        paid_through, announcements = read_announcements(lake, after=planned_through)
        if paid_through is None:
            return 0
        count_inserted = sum(
            _insert(connection, announcements[start : start + PAGE_ROWS], mail_from, now)
            for start in range(0, len(announcements), PAGE_ROWS)
        )
        connection.execute(ADVANCE, {"through": paid_through})
    return count_inserted


def _insert(
    connection: Connection, page: list[Announcement], mail_from: str, now: dt.datetime
) -> int:
    values = {
        "delivery_id": [one.entry_id for one in page],
        "business_date": [one.business_date for one in page],
        "employee_id": [one.employee_id for one in page],
        "email": [one.email for one in page],
        "name": [one.name for one in page],
        "amount_cents": [one.amount_cents for one in page],
        "message_id": [message_id(one.entry_id, mail_from) for one in page],
        "now": now,
        "blocked_until": now + BLOCKED_DELAY,
        "no_address": NO_ADDRESS,
    }
    return connection.execute(INSERT, values).rowcount
