"""Following one user action through everything that keeps a trace of it: logs, tables, the lake."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import duckdb
import msgspec
from sqlalchemy import Engine, text

# A reassignment may have a hundred thousand events; whoever looks at one needs the first few.
EVENTS_SHOWN_MAX = 20

_CORRELATION = text("""
select correlation_id from event_log where event_id = :action
union all select correlation_id from outbox where event_id = :action
""")
_COUNT = text("""
select (select count(*) from event_log where correlation_id = :action)
    + (select count(*) from outbox where correlation_id = :action)
""")
_EVENTS = text("""
select position, event_id, type, subject, business_date, occurred_at, recorded_at,
    position <= published_position as is_published
from event_log cross join publications where correlation_id = :action
union all
select null, event_id, type, subject, business_date, occurred_at, null, false
from outbox where correlation_id = :action
order by 1 nulls last limit :limit
""")
_HAS_MAIL = text("select to_regclass('mail.deliveries') is not null")
_MAILS = text("""
select business_date, employee_id::text, state, message_id, sent_at, last_error
from mail.deliveries
where business_date = any(:dates) and employee_id::text = any(:accounts)
order by 1, 2
""")
# The same where the log has let go of them: all events of an action go together.
_ARCHIVED = """
select position, event_id, type, subject, business_date, occurred_at, recorded_at, correlation_id,
    count(*) over () as count_events
from lake.raw.event_log_archive
where correlation_id = coalesce(
    (select any_value(correlation_id) from lake.raw.event_log_archive where event_id = $action),
    $action
)
order by position limit $limit
"""
_ARRIVED = "select position from lake.raw.events where position in (select unnest($1::bigint[]))"
_POSTINGS = """
select position, kind, account, amount_cents from lake.ledger.postings
where position in (select unnest($1::bigint[])) order by position, account
"""
_PAYOUTS = """
select payout.business_date, payout.employee_id::varchar, payout.amount_cents, day.paid_at
from lake.ledger.payouts as payout join lake.ledger.paid_days as day using (business_date)
where payout.business_date in (select unnest($1::date[]))
    and payout.employee_id::varchar in (select unnest($2::varchar[]))
order by all
"""


class ArchivedEvent(NamedTuple):
    """An event as the archive has it; which is in the lake, so it was published."""

    position: int
    event_id: UUID
    type: str
    subject: str
    business_date: dt.date
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    correlation_id: UUID
    count_events: int
    is_published: bool = True


class Trace(msgspec.Struct, frozen=True):
    """What became of an action; rows as their queries give them, of its first events."""

    correlation_id: UUID
    count_events: int
    events: list[Any]
    arrived: set[int]
    postings: list[tuple[Any, ...]]
    payouts: list[tuple[Any, ...]]
    mails: list[Any]

    def lines(self) -> Iterator[str]:
        """One line for each thing that happened, in the order of its way."""
        yield f"action   {self.correlation_id}: {self.count_events:,} events"
        for event in self.events:
            yield f"event    {event.type} of {event.subject}, {_moment(event.occurred_at)}"
            yield f"         id {event.event_id}, day {event.business_date}, {self._way(event)}"
            for position, kind, account, amount_cents in self.postings:
                if position == event.position:
                    yield f"posting  {kind} {amount_cents:+,} cents on {account}"
        if self.count_events > len(self.events):
            yield f"         and {self.count_events - len(self.events):,} more events"
        for day, account, amount_cents, paid_at in self.payouts:
            yield f"payout   {day}: {amount_cents:,} cents to {account}, {_moment(paid_at)}"
        for mail in self.mails:
            how = _moment(mail.sent_at) if mail.sent_at else mail.last_error or "waits for its turn"
            yield f"mail     {mail.business_date}: {mail.state}, {how}, {mail.message_id}"

    def _way(self, event: Any) -> str:
        if event.position is None:
            return "waits for its position"
        published = "published" if event.is_published else "not published yet"
        lake = "in the lake" if event.position in self.arrived else "not in the lake yet"
        return f"position {event.position} at {_moment(event.recorded_at)}, {published}, {lake}"


def read_trace(engine: Engine, lake: duckdb.DuckDBPyConnection, action: UUID) -> Trace | None:
    """The action with this correlation id, or with an event of this id; None when there is none.

    Looks through the whole event log for the correlation id, and through the archive if the log
    has none of it.
    """
    with engine.connect() as connection:
        correlation_id = connection.execute(_CORRELATION, {"action": action}).scalar() or action
        values = {"action": correlation_id, "limit": EVENTS_SHOWN_MAX}
        events: list[Any] = list(connection.execute(_EVENTS, values))
        if events:
            count = int(connection.execute(_COUNT, values).scalar_one())
        else:
            events = _archived(lake, action)
            if not events:
                return None
            correlation_id, count = events[0].correlation_id, events[0].count_events
        positions = [event.position for event in events if event.position is not None]
        arrived = {row[0] for row in lake.execute(_ARRIVED, [positions]).fetchall()}
        postings = lake.execute(_POSTINGS, [positions]).fetchall()
        dates = sorted({event.business_date for event in events})
        accounts = sorted({account for _, _, account, _ in postings} - {"company", "cash"})
        mails = []
        if connection.execute(_HAS_MAIL).scalar_one():
            mails = list(connection.execute(_MAILS, {"dates": dates, "accounts": accounts}))
    payouts = lake.execute(_PAYOUTS, [dates, accounts]).fetchall()
    return Trace(correlation_id, count, events, arrived, postings, payouts, mails)


def _archived(lake: duckdb.DuckDBPyConnection, action: UUID) -> list[Any]:
    values = {"action": action, "limit": EVENTS_SHOWN_MAX}
    return [ArchivedEvent(*row) for row in lake.execute(_ARCHIVED, values).fetchall()]


def request_lines(home: Path, correlation_id: UUID) -> list[str]:
    """The tracker's log lines about the request, oldest first, as far as its log is kept here."""
    wanted = f"correlation_id={correlation_id}"
    logs = sorted((home / "logs").glob("tracker.log*"), reverse=True)
    return [
        line
        for path in logs
        for line in path.read_text("utf-8", errors="replace").splitlines()
        if wanted in line
    ]


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(" ", "milliseconds").replace("+00:00", "Z")
