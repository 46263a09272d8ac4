"""Closing business days: once each, in order, with a certificate of everything the day held.

The day's lock is taken alone: every command that shared it has committed or gone, and none begins
until the certificate is written. So the sums are final.
"""

import datetime as dt

import msgspec
from sqlalchemy import Connection, Engine, insert, text

from contracts.events import BusinessDayClosedV1
from ops_api import locks
from ops_api.context import CommandContext
from ops_api.days import rules
from ops_api.days.models import Certificate, business_days
from ops_api.days.queries import (
    find_certificate,
    find_day_in_log,
    find_due_day,
    find_unfinished_import,
)
from ops_api.errors import ConflictError
from ops_api.outbox.archiving import remove_oldest
from ops_api.outbox.commands import OutboxRow, append, event
from ops_api.outbox.sequencer import move_all
from ops_api.unit_of_work import in_transaction

CLOSED = "business_day.closed"
# Days closed by one call; thirty years of them, so that a wrong clock cannot loop for ever.
DAYS_PER_CALL_MAX = 11_000

_SUMS = text("""
select
    (select last_position from log_head) as last_position,
    count(*) as count_events,
    coalesce(sum(fee_cents), 0)::bigint as fees_cents,
    coalesce(sum(reward_cents), 0)::bigint as rewards_cents
from event_log
where business_date = :day and type <> :closed
""")


def close_day(
    connection: Connection,
    context: CommandContext,
    *,
    day: dt.date,
    is_mail_wanted: bool = True,
    is_import: bool = False,
) -> Certificate:
    """Close a day that is over and next in order; a closed day gives its certificate again.

    Raises ConflictError for any other day, and for all open days while an import is unfinished
    (unless it is the import that closes: `is_import`), since its rows may still fall on them.
    """
    locks.take_alone(connection, locks.BUSINESS_DAY)
    if certificate := find_certificate(connection, day):
        return certificate
    if not is_import and (file_name := find_unfinished_import(connection)):
        raise ConflictError("import-unfinished", f"The import of {file_name} is not finished.")
    move_all(connection)
    rules.require_closable(
        day, due=find_due_day(connection), at=context.clock(), zone=context.business_timezone
    )
    return _close(connection, context, day, is_mail_wanted)


def close_next_due_day(
    connection: Connection, context: CommandContext, *, is_mail_wanted: bool = True
) -> Certificate | None:
    """Close the oldest day that is over and not closed yet; None when there is none.

    While an import is unfinished there is none: it closes its days itself, in order.
    """
    locks.take_alone(connection, locks.BUSINESS_DAY)
    if find_unfinished_import(connection):
        return None
    move_all(connection)
    day = find_due_day(connection)
    if day is None or not rules.is_over(day, context.clock(), context.business_timezone):
        return None
    return _close(connection, context, day, is_mail_wanted)


def close_due_days(
    engine: Engine, context: CommandContext, *, is_mail_wanted: bool = True
) -> list[Certificate]:
    """Close every due day, oldest first, each in a transaction of its own.

    Returns the certificates of the days that this call closed; a rival call closes others.
    """
    certificates: list[Certificate] = []
    for _ in range(DAYS_PER_CALL_MAX):
        closed = in_transaction(
            engine,
            lambda each: close_next_due_day(each, context, is_mail_wanted=is_mail_wanted),
        )
        if closed is None:
            break
        certificates.append(closed)
    return certificates


def remove_archived(connection: Connection, *, day: dt.date) -> int:
    """Let events up to the end of a closed day leave the log; how many went, 0 when none is left.

    Only for whom the lake's archive has proven its copy of them. Raises ConflictError for a day
    that is open, whose events are not published, or before whose end an open day began.
    """
    found = find_day_in_log(connection, day)
    if found is None and find_certificate(connection, day) is not None:
        return 0
    rules.require_removable(
        day,
        is_over=found is not None and found.is_over,
        is_published=found is not None and found.is_published,
    )
    assert found is not None, "what is over is there"
    return remove_oldest(connection, through=found.position)


def _close(
    connection: Connection, context: CommandContext, day: dt.date, is_mail_wanted: bool
) -> Certificate:
    sums = connection.execute(_SUMS, {"day": day, "closed": CLOSED}).one()
    now = context.clock()
    certificate = Certificate(
        business_date=day, is_mail_wanted=is_mail_wanted, closed_at=now, **sums._mapping
    )
    assert certificate.count_events <= certificate.last_position
    connection.execute(insert(business_days), msgspec.structs.asdict(certificate))
    append(connection, [_closed_event(context, certificate)])
    return certificate


def _closed_event(context: CommandContext, certificate: Certificate) -> OutboxRow:
    data = BusinessDayClosedV1(
        business_date=certificate.business_date,
        last_position=certificate.last_position,
        count_events=certificate.count_events,
        fees_cents=certificate.fees_cents,
        rewards_cents=certificate.rewards_cents,
        is_mail_wanted=certificate.is_mail_wanted,
    )
    return event(
        context,
        data,
        sequence=1,
        occurred_at=certificate.closed_at,
        business_date=certificate.business_date,
    )
