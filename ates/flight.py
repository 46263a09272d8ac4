"""What is on its way between a command and a mail: read once, in the order in which things flow.

The tracker is read before the lake and the lake before the mails, so "nothing" cannot be a mixture
of moments in which each part happened to be quiet.
"""

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Engine, text

if TYPE_CHECKING:
    import duckdb

ONE_DAY = dt.timedelta(days=1)

_TRACKER = text("""
select
    (select count(*) from outbox) as count_waiting,
    (select last_position from log_head) as head,
    (select published_position from publications) as published,
    (select max(business_date) from business_days) as closed_through,
    (select min(business_date) from event_log) as first_date,
    (select file_name from imports where finished_at is null and abandoned_at is null)
        as unfinished_import
""")
_LAKE = """
select state.contiguous_position, paid.paid_through
from lake.ops.ingest_state as state cross join lake.ops.payout_state as paid
"""
_HAS_MAIL = text("select to_regclass('mail.planning') is not null")
_MAIL = text("""
select
    (select planned_through from mail.planning) as planned_through,
    count(*) filter (where state in ('pending', 'sending')) as count_unsent
from mail.deliveries
""")


class Flight(msgspec.Struct, frozen=True):
    """How far each stage has come; dates and positions as in the tables they come from."""

    count_waiting: int
    head: int
    published: int
    closed_through: dt.date | None
    first_date: dt.date | None
    unfinished_import: str | None
    yesterday: dt.date
    ingested: int = 0
    paid_through: dt.date | None = None
    planned_through: dt.date | None = None
    count_unsent: int = 0

    @property
    def next_to_close(self) -> dt.date | None:
        """The day whose turn it is; None when nothing ever happened."""
        return self.first_date if self.closed_through is None else self.closed_through + ONE_DAY

    def waits_for(self) -> list[str]:
        """A phrase for everything that is not done yet, in the order of the flow."""
        reasons = []
        if self.unfinished_import is not None:
            reasons.append(f"the import of {self.unfinished_import} to be finished")
        if self.count_waiting:
            reasons.append(f"{self.count_waiting:,} events in the outbox")
        if self.published < self.head:
            reasons.append(f"{self.head - self.published:,} events to be published")
        if self.ingested < self.head:
            reasons.append(f"{self.head - self.ingested:,} events to be ingested")
        if (due := self.next_to_close) is not None and due <= self.yesterday:
            reasons.append(f"the days from {due} to be closed")
        if self.closed_through is not None and self.paid_through != self.closed_through:
            reasons.append(f"days through {self.closed_through} to be paid")
        if self.paid_through is not None and self.planned_through != self.paid_through:
            reasons.append(f"mail of payouts through {self.paid_through} to be planned")
        if self.count_unsent:
            reasons.append(f"{self.count_unsent:,} mails to be sent")
        return reasons


def read_flight(
    engine: Engine, lake: "duckdb.DuckDBPyConnection", *, now: dt.datetime, zone: ZoneInfo
) -> Flight:
    """Read every stage once. The lake connection has the lake attached as `lake`."""
    with engine.begin() as connection:
        tracker = connection.execute(_TRACKER).one()
    row = lake.execute(_LAKE).fetchall()
    assert len(row) == 1, "ingest and payout state have one row each"
    with engine.begin() as connection:
        planned_through, count_unsent = _read_mail(connection)
    return Flight(
        **tracker._mapping,
        yesterday=now.astimezone(zone).date() - ONE_DAY,
        ingested=row[0][0],
        paid_through=row[0][1],
        planned_through=planned_through,
        count_unsent=count_unsent,
    )


def _read_mail(connection: Connection) -> tuple[dt.date | None, int]:
    if not connection.execute(_HAS_MAIL).scalar_one():
        return None, 0
    row = connection.execute(_MAIL).one()
    return row.planned_through, row.count_unsent
