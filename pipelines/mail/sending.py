"""Send what is due: claim a batch, read its statements, one connection, a mark after each 250.

The order is the promise. A mail is marked only after the server took it, so none is lost; a
sender that dies between the two leaves one row whose mail goes out once more, with the same
Message-ID. A payout is never touched from here.
"""

import datetime as dt
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.errors import MessageError
from email.message import EmailMessage
from random import Random
from time import monotonic
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import msgspec
from sqlalchemy import Connection, Engine

from contracts import logs
from pipelines import metrics
from pipelines.mail import deliveries
from pipelines.mail.deliveries import LEASE_SECONDS, Delivery
from pipelines.mail.marking import Marker
from pipelines.mail.message import build_message
from pipelines.mail.planning import NO_ADDRESS
from pipelines.mail.retry import BLOCKED_DELAY, retry_delay
from pipelines.mail.smtp import RefusedError, SmtpServer, SmtpSession, TemporaryError
from warehouse.statements import Statement, read_statements

# While one connection waits for the server's answer, the other writes the next mail.
CONNECTIONS = 2
# No mail is begun this close to its lease's end: a slow dialogue must fit into what is left.
LEASE_MARGIN_SECONDS = 120.0
# A server that hangs up this often in one batch is left alone until the next attempt is due.
CONNECTIONS_LOST_MAX = 3
BATCHES_MAX = 1_000
NOT_REACHED = "not begun: the round was over"


logger = logging.getLogger("ates.mail")


class SendReport(msgspec.Struct):
    """What one round did: mails sent, put back for later, and set aside as blocked."""

    count_sent: int = 0
    count_retried: int = 0
    count_blocked: int = 0
    seconds: float = 0.0
    last_error: str | None = None

    def add(self, other: "SendReport") -> None:
        """Count what another connection did in the same round."""
        self.count_sent += other.count_sent
        self.count_retried += other.count_retried
        self.count_blocked += other.count_blocked
        self.last_error = other.last_error or self.last_error


class Sender(msgspec.Struct, frozen=True):
    """Everything sending needs: where from, where to, and what it decides with."""

    engine: Engine
    lake: duckdb.DuckDBPyConnection
    server: SmtpServer
    mail_from: str
    zone: ZoneInfo
    clock: Callable[[], dt.datetime]
    rng: Random
    should_stop: Callable[[], bool] = lambda: False


def send_due(sender: Sender, *, budget_seconds: float) -> SendReport:
    """Send every due delivery, batch after batch, until none is due or the time is used up.

    Several may run at once, here and in other processes: no two hold the same row.
    """
    started = monotonic()
    total = SendReport()
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mail") as pool:
        workers = [
            pool.submit(_Worker(sender, sender.lake.cursor(), started + budget_seconds).work)
            for _ in range(CONNECTIONS)
        ]
        for worker in workers:
            total.add(worker.result())
    total.seconds = monotonic() - started
    return total


class _Worker:
    """One connection to the mail server and the batches that go over it."""

    def __init__(self, sender: Sender, lake: duckdb.DuckDBPyConnection, deadline: float) -> None:
        self._sender = sender
        self._lake = lake
        self._deadline = deadline
        self._report = SendReport()
        self._marker = Marker(sender.engine)

    def work(self) -> SendReport:
        """Batch after batch, as long as there is one and time for it."""
        with self._lake, SmtpSession(self._sender.server) as session:
            for _ in range(BATCHES_MAX):
                if self._is_over(self._deadline):
                    break
                batch = deliveries.claim(self._sender.engine, self._sender.clock())
                if not batch:
                    break
                self._send_batch(session, batch)
        return self._report

    def _is_over(self, deadline: float) -> bool:
        return monotonic() >= deadline or self._sender.should_stop()

    def _send_batch(self, session: SmtpSession, batch: list[Delivery]) -> None:
        lease_deadline = monotonic() + LEASE_SECONDS - LEASE_MARGIN_SECONDS
        left = list(reversed(batch))
        count_lost = 0
        try:
            statements = read_statements(
                self._lake, {one.delivery_id: one.business_date for one in batch}
            )
            while left and not self._is_over(min(self._deadline, lease_deadline)):
                count_lost += not self._send(session, left[-1], statements)
                left.pop()
                if count_lost >= CONNECTIONS_LOST_MAX:
                    self._put_back(left, str(self._report.last_error))
                    left = []
        finally:
            self._marker.close()
            self._put_back(left, NOT_REACHED, is_delayed=False)

    def _send(
        self, session: SmtpSession, delivery: Delivery, statements: dict[UUID, Statement]
    ) -> bool:
        """Send and mark one, or put it back; whether the connection held."""
        try:
            statement = _checked(delivery, statements.get(delivery.delivery_id))
            session.send(self._written(delivery, statement))
        except RefusedError as error:
            self._put_back([delivery], str(error), is_blocked=True)
        except TemporaryError as error:
            self._put_back([delivery], str(error))
            return not error.is_connection_lost
        else:
            self._mark(delivery, statement)
            self._report.count_sent += 1
            metrics.MAIL_SENT.inc()
            logger.info(_line("mail_sent", delivery))
        return True

    def _mark(self, delivery: Delivery, statement: Statement) -> None:
        email = statement.email
        assert email is not None, "nothing was sent without an address"

        def write(connection: Connection) -> None:
            now = self._sender.clock()
            deliveries.mark_sent(connection, delivery, email=email, name=statement.name, now=now)

        self._marker.mark(write)

    def _written(self, delivery: Delivery, statement: Statement) -> EmailMessage:
        try:
            return build_message(
                statement,
                message_id=delivery.message_id,
                mail_from=self._sender.mail_from,
                zone=self._sender.zone,
                now=self._sender.clock(),
            )
        except (ValueError, LookupError, MessageError) as error:
            # One mail that cannot be written must not hold up the others of its batch for ever.
            raise RefusedError(f"the mail cannot be written: {error}") from error

    def _put_back(
        self,
        rows: list[Delivery],
        error: str,
        *,
        is_blocked: bool = False,
        is_delayed: bool = True,
    ) -> None:
        if not rows:
            return
        with self._sender.engine.begin() as connection:
            for delivery in rows:
                delay = _delay(self._sender, delivery, is_blocked) if is_delayed else dt.timedelta()
                deliveries.put_back(
                    connection,
                    delivery,
                    error=error,
                    next_attempt_at=self._sender.clock() + delay,
                    is_blocked=is_blocked,
                )
        if not is_delayed:
            return
        self._report.last_error = error
        metrics.MAIL_PUT_BACK.labels("blocked" if is_blocked else "retried").inc(len(rows))
        if is_blocked:
            self._report.count_blocked += len(rows)
            for delivery in rows:
                logger.warning(_line("mail_blocked", delivery, error))
        else:
            self._report.count_retried += len(rows)
            logger.warning(logs.line("mail_put_back", deliveries=len(rows), error=error))


def _line(event: str, delivery: Delivery, error: str | None = None) -> str:
    return logs.line(
        event,
        delivery_id=delivery.delivery_id,
        business_date=delivery.business_date,
        employee_id=delivery.employee_id,
        message_id=delivery.message_id,
        attempts=delivery.attempts,
        error=error,
    )


def _checked(delivery: Delivery, statement: Statement | None) -> Statement:
    """The statement, if the mail it makes is true; raises RefusedError or TemporaryError."""
    if statement is None:
        raise TemporaryError("the lake does not have this payout", is_connection_lost=False)
    if statement.closing_cents != 0 or statement.amount_cents != delivery.amount_cents:
        raise RefusedError(
            f"the statement does not add up: paid {statement.amount_cents}, "
            f"delivery {delivery.amount_cents}, left over {statement.closing_cents} cents"
        )
    if statement.email is None:
        raise RefusedError(NO_ADDRESS)
    return statement


def _delay(sender: Sender, delivery: Delivery, is_blocked: bool) -> dt.timedelta:
    return BLOCKED_DELAY if is_blocked else retry_delay(delivery.attempts, sender.rng)
