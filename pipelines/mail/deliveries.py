"""A mail for each payout: rows in PostgreSQL, written from the payouts' statements in the lake.

A payout is never touched from here.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from email.message import EmailMessage
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import msgspec
from sqlalchemy import Engine, Row, text

from pipelines.mail.message import build_message
from pipelines.mail.planning import NO_ADDRESS
from pipelines.mail.post import Desk, SendReport, Source, send_due
from pipelines.mail.smtp import RefusedError, TemporaryError
from warehouse.statements import Statement, read_statements

# While some wait for the mail server's answer or for their mark, others write the next mail.
CONNECTIONS = 4
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
returning delivery.delivery_id as mail_id, delivery.business_date, delivery.employee_id,
    delivery.amount_cents, delivery.message_id, delivery.attempts
""")
MARK_SENT = text("""
update mail.deliveries
set state = 'sent', sent_at = :now, email = :email, name = :name,
    claimed_until = null, last_error = null
where delivery_id = :mail_id and state <> 'sent'
""")
PUT_BACK = text("""
update mail.deliveries
set state = case when :is_blocked then 'blocked' else 'pending' end,
    next_attempt_at = :next_attempt_at, last_error = :error, claimed_until = null
where delivery_id = :mail_id and state = 'sending' and attempts = :attempts
""")
COUNTS = text("""
select state, count(*) as count_rows, min(planned_at) as oldest_at
from mail.deliveries group by state
""")


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed row: one payout somebody is to be told of; no statement: the lake has none."""

    mail_id: UUID
    business_date: dt.date
    employee_id: UUID
    amount_cents: int
    message_id: str
    attempts: int
    statement: Statement | None

    def names(self) -> Mapping[str, object]:
        """Which payout, and whose."""
        return {
            "delivery_id": self.mail_id,
            "business_date": self.business_date,
            "employee_id": self.employee_id,
            "message_id": self.message_id,
        }

    def marks(self) -> Mapping[str, object]:
        """To whom it went."""
        statement = self.checked()
        return {"email": statement.email, "name": statement.name}

    def checked(self) -> Statement:
        """The statement, if the mail it makes is true; raises RefusedError or TemporaryError."""
        statement = self.statement
        if statement is None:
            raise TemporaryError("the lake does not have this payout", is_connection_lost=False)
        if statement.closing_cents != 0 or statement.amount_cents != self.amount_cents:
            raise RefusedError(
                f"the statement does not add up: paid {statement.amount_cents}, "
                f"delivery {self.amount_cents}, left over {statement.closing_cents} cents"
            )
        if statement.email is None:
            raise RefusedError(NO_ADDRESS)
        return statement


def send_deliveries(
    desk: Desk, lake: duckdb.DuckDBPyConnection, zone: ZoneInfo, *, budget_seconds: float
) -> SendReport:
    """Send every due delivery, oldest day first, until none is due or the time is used up."""
    with ExitStack() as stack:
        cursors = [stack.enter_context(lake.cursor()) for _ in range(CONNECTIONS)]
        sources = [deliveries_of(cursor, zone) for cursor in cursors]
        return send_due(desk, *sources, budget_seconds=budget_seconds)


def deliveries_of(lake: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> Source[Delivery]:
    """Payouts' mails, their statements read from this connection, a batch in one query."""

    def read(rows: Sequence[Row[Any]]) -> list[Delivery]:
        statements = read_statements(lake, {row.mail_id: row.business_date for row in rows})
        found = [Delivery(**row._mapping, statement=statements.get(row.mail_id)) for row in rows]
        return sorted(found, key=lambda each: (each.business_date, each.mail_id))

    def write(delivery: Delivery, mail_from: str, now: dt.datetime) -> EmailMessage:
        return build_message(
            delivery.checked(),
            message_id=delivery.message_id,
            mail_from=mail_from,
            zone=zone,
            now=now,
        )

    return Source("mail", CLAIM, MARK_SENT, PUT_BACK, read, write, BATCH_ROWS)


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
