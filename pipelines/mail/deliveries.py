"""The queue of deliveries in PostgreSQL: claim what is due, then say how each one ended.

A claim is a lease. Whoever holds it finishes before `claimed_until` or leaves the row alone;
`attempts` rises with every claim and tells an old holder's word from a new one's.
"""

import datetime as dt
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, Row, text

# Long enough for a batch against a slow server, short enough that a dead sender's mail is not late.
LEASE_SECONDS = 300.0
BATCH_ROWS = 100

CLAIM = text("""
with due as (
    select delivery_id
    from mail.deliveries
    where state <> 'sent' and coalesce(claimed_until, next_attempt_at) <= :now
    order by coalesce(claimed_until, next_attempt_at), business_date, delivery_id
    limit :limit
    for update skip locked
)
update mail.deliveries as delivery
set state = 'sending', attempts = attempts + 1, claimed_until = :claimed_until
from due
where delivery.delivery_id = due.delivery_id
returning delivery.delivery_id, delivery.business_date, delivery.employee_id, delivery.email,
    delivery.name, delivery.amount_cents, delivery.message_id, delivery.attempts
""")
MARK_SENT = text("""
update mail.deliveries
set state = 'sent', sent_at = :now, email = :email, name = :name,
    claimed_until = null, last_error = null
where delivery_id = :delivery_id and state <> 'sent'
""")
PUT_BACK = text("""
update mail.deliveries
set state = :state, next_attempt_at = :next_attempt_at, last_error = :error, claimed_until = null
where delivery_id = :delivery_id and state = 'sending' and attempts = :attempts
""")
COUNTS = text("""
select state, count(*) as count_rows, min(planned_at) as oldest_at
from mail.deliveries group by state
""")


class Delivery(msgspec.Struct, frozen=True):
    """A claimed row: one payout somebody is to be told of."""

    delivery_id: UUID
    business_date: dt.date
    employee_id: UUID
    email: str | None
    name: str
    amount_cents: int
    message_id: str
    attempts: int


def claim(engine: Engine, now: dt.datetime, limit: int = BATCH_ROWS) -> list[Delivery]:
    """Take up to `limit` due rows, oldest day first; nobody else gets them for LEASE_SECONDS."""
    claimed_until = now + dt.timedelta(seconds=LEASE_SECONDS)
    with engine.begin() as connection:
        rows = connection.execute(
            CLAIM, {"now": now, "claimed_until": claimed_until, "limit": limit}
        ).all()
    deliveries = [_delivery(row) for row in rows]
    return sorted(deliveries, key=lambda one: (one.business_date, one.delivery_id))


def mark_sent(
    connection: Connection, delivery: Delivery, *, email: str, name: str, now: dt.datetime
) -> None:
    """Record that the server has the mail and to which address it went; for ever."""
    values = {"delivery_id": delivery.delivery_id, "email": email, "name": name, "now": now}
    connection.execute(MARK_SENT, values)


def put_back(
    connection: Connection,
    delivery: Delivery,
    *,
    error: str,
    next_attempt_at: dt.datetime,
    is_blocked: bool = False,
) -> None:
    """Give a claim up with its reason; nothing happens if somebody else holds the row by now."""
    connection.execute(
        PUT_BACK,
        {
            "delivery_id": delivery.delivery_id,
            "attempts": delivery.attempts,
            "state": "blocked" if is_blocked else "pending",
            "next_attempt_at": next_attempt_at,
            "error": error,
        },
    )


class Queue(msgspec.Struct, frozen=True):
    """How many deliveries are pending, sending, sent and blocked; absent states count none.

    `waiting_since` is when the oldest pending or sending one was planned; None when there is none.
    """

    counts: dict[str, int]
    waiting_since: dt.datetime | None


def read_queue(engine: Engine) -> Queue:
    """The queue as it is now."""
    with engine.connect() as connection:
        rows = connection.execute(COUNTS).all()
    waiting = [row.oldest_at for row in rows if row.state in ("pending", "sending")]
    return Queue({row.state: row.count_rows for row in rows}, min(waiting, default=None))


def _delivery(row: Row[tuple[object, ...]]) -> Delivery:
    return msgspec.convert(row._mapping, Delivery)
