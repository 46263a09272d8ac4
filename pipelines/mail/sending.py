"""Send what is due: claim a batch, read its statements, one connection, a mark after each 250.

The order is the promise. A mail is marked only after the server took it, so none is lost; a
sender that dies between the two leaves one row whose mail goes out once more, with the same
Message-ID. A payout is never touched from here.
"""

import datetime as dt
from collections.abc import Callable
from email.errors import MessageError
from random import Random
from time import monotonic, sleep
from uuid import UUID
from zoneinfo import ZoneInfo

import duckdb
import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from pipelines.mail import deliveries
from pipelines.mail.deliveries import LEASE_SECONDS, Delivery
from pipelines.mail.message import build_message
from pipelines.mail.planning import NO_ADDRESS
from pipelines.mail.retry import BLOCKED_DELAY, retry_delay
from pipelines.mail.smtp import RefusedError, SmtpServer, SmtpSession, TemporaryError
from warehouse.statements import Statement, read_statements

# No new mail is begun this close to the lease's end: a slow dialogue must fit into what is left.
LEASE_MARGIN_SECONDS = 120.0
# A server that hangs up this often in one batch is left alone until the next attempt is due.
CONNECTIONS_LOST_MAX = 3
MARK_TRIES_MAX = 5
MARK_RETRY_SECONDS = 0.5
BATCHES_MAX = 1_000


class SendReport(msgspec.Struct):
    """What one call of `send_due` did: mails sent, put back for later, and set aside."""

    count_sent: int = 0
    count_retried: int = 0
    count_blocked: int = 0
    seconds: float = 0.0
    last_error: str | None = None


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

    Several may run at once: no two hold the same row.
    """
    report = SendReport()
    started = monotonic()
    with SmtpSession(sender.server) as session:
        for _ in range(BATCHES_MAX):
            if monotonic() - started >= budget_seconds or sender.should_stop():
                break
            batch = deliveries.claim(sender.engine, sender.clock())
            if not batch:
                break
            _send_batch(sender, session, batch, report)
    report.seconds = monotonic() - started
    return report


def _send_batch(
    sender: Sender, session: SmtpSession, batch: list[Delivery], report: SendReport
) -> None:
    deadline = monotonic() + LEASE_SECONDS - LEASE_MARGIN_SECONDS
    left = list(reversed(batch))
    reason = "the sender stopped before it came to this mail"
    try:
        statements = read_statements(
            sender.lake, {one.delivery_id: one.business_date for one in batch}
        )
        reason = _send_all(sender, session, left, statements, deadline, report) or reason
    finally:
        if left:
            _put_back_all(sender, left, reason, report)


def _send_all(
    sender: Sender,
    session: SmtpSession,
    left: list[Delivery],
    statements: dict[UUID, Statement],
    deadline: float,
    report: SendReport,
) -> str | None:
    """Work `left` off from its end; what is in it afterwards is to be put back for the reason."""
    count_lost = 0
    while left and monotonic() < deadline and not sender.should_stop():
        delivery = left[-1]
        try:
            _send_one(sender, session, delivery, statements.get(delivery.delivery_id))
            report.count_sent += 1
        except RefusedError as error:
            _put_back(sender, delivery, str(error), report, is_blocked=True)
        except TemporaryError as error:
            count_lost += error.is_connection_lost
            if count_lost >= CONNECTIONS_LOST_MAX:
                return str(error)
            _put_back(sender, delivery, str(error), report)
        left.pop()
    return None


def _send_one(
    sender: Sender, session: SmtpSession, delivery: Delivery, statement: Statement | None
) -> None:
    """Return when the mail is out and marked; raises RefusedError or TemporaryError."""
    if statement is None:
        raise TemporaryError("the lake does not have this payout", is_connection_lost=False)
    if statement.closing_cents != 0 or statement.amount_cents != delivery.amount_cents:
        raise RefusedError(
            f"the statement does not add up: paid {statement.amount_cents}, "
            f"delivery {delivery.amount_cents}, left over {statement.closing_cents} cents"
        )
    if statement.email is None:
        raise RefusedError(NO_ADDRESS)
    try:
        message = build_message(
            statement,
            message_id=delivery.message_id,
            mail_from=sender.mail_from,
            zone=sender.zone,
            now=sender.clock(),
        )
    except (ValueError, LookupError, MessageError) as error:
        # One mail that cannot be built must not hold up the others of its batch for ever.
        raise RefusedError(f"the mail cannot be written: {error}") from error
    session.send(message)
    _mark_sent(sender, delivery, statement)


def _mark_sent(sender: Sender, delivery: Delivery, statement: Statement) -> None:
    """Mark with patience: a database that restarts just now must not cost a second copy."""
    assert statement.email is not None
    for tries_left in reversed(range(MARK_TRIES_MAX)):
        try:
            with sender.engine.begin() as connection:
                deliveries.mark_sent(
                    connection,
                    delivery,
                    email=statement.email,
                    name=statement.name,
                    now=sender.clock(),
                )
        except OperationalError:
            if not tries_left:
                raise
            sleep(MARK_RETRY_SECONDS)
        else:
            return


def _put_back(
    sender: Sender, delivery: Delivery, error: str, report: SendReport, *, is_blocked: bool = False
) -> None:
    with sender.engine.begin() as connection:
        _put_back_row(sender, connection, delivery, error, is_blocked=is_blocked)
    report.last_error = error
    if is_blocked:
        report.count_blocked += 1
    else:
        report.count_retried += 1


def _put_back_all(sender: Sender, left: list[Delivery], error: str, report: SendReport) -> None:
    with sender.engine.begin() as connection:
        for delivery in left:
            _put_back_row(sender, connection, delivery, error)
    report.count_retried += len(left)
    report.last_error = error


def _put_back_row(
    sender: Sender,
    connection: Connection,
    delivery: Delivery,
    error: str,
    *,
    is_blocked: bool = False,
) -> None:
    delay = BLOCKED_DELAY if is_blocked else retry_delay(delivery.attempts, sender.rng)
    deliveries.put_back(
        connection,
        delivery,
        error=error,
        next_attempt_at=sender.clock() + delay,
        is_blocked=is_blocked,
    )
