"""How the machinery is: what waits, what was refused, what was checked, what failed. For admins.

The lake's part is one snapshot of it; the tracker's part comes from PostgreSQL, read only.
"""

import datetime as dt
from uuid import UUID

import duckdb
import msgspec
from sqlalchemy import Connection, text

from warehouse.reading import (
    ADMINS,
    LakeState,
    Reader,
    read_lake_state,
    require_role,
    rows,
    snapshot,
)
from warehouse.results import CheckResult, read_results

RECORDS_MAX = 20
ONE_DAY = dt.timedelta(days=1)

_DAYS = text("""
select
    (select max(business_date) from business_days) as closed_through,
    (select min(business_date) from event_log) as first_date,
    (select published_position from publications) as published_position,
    (select last_position from log_head) as last_position,
    to_regclass('mail.deliveries') is not null as has_mail
""")
_MAIL = text("""
select
    count(*) filter (where state in ('pending', 'sending')) as count_waiting,
    count(*) filter (where state in ('pending', 'sending') and attempts > 0) as count_failing,
    count(*) filter (where state = 'blocked') as count_blocked,
    min(planned_at) filter (where state in ('pending', 'sending')) as waiting_since,
    (array_agg(last_error order by next_attempt_at desc)
        filter (where state <> 'sent' and last_error is not null))[1] as last_error
from mail.deliveries
""")


class QuarantineReason(msgspec.Struct, frozen=True):
    """Records that wait in quarantine for the same reason."""

    reason: str
    count_records: int
    newest_at: dt.datetime


class NewestRecord(msgspec.Struct, frozen=True):
    """One record in quarantine; `position` is None until the event log itself has confirmed it."""

    quarantine_id: UUID
    received_at: dt.datetime
    topic: str
    position: int | None
    reason: str
    detail: str


class LakeHealth(msgspec.Struct, frozen=True):
    """The lake's part: quarantine, the checks' last results, and how far payouts are."""

    state: LakeState
    quarantine: tuple[QuarantineReason, ...]
    newest: tuple[NewestRecord, ...]
    checks: tuple[CheckResult, ...]

    @property
    def count_quarantined(self) -> int:
        """Records that wait in quarantine."""
        return sum(each.count_records for each in self.quarantine)

    @property
    def count_days_unpaid(self) -> int:
        """Closed days whose payouts are not made."""
        closed, paid = self.state.closed_through, self.state.paid_through
        if closed is None:
            return 0
        before = paid if paid is not None else (self.state.first_date or closed) - ONE_DAY
        return max(0, (closed - before).days)

    @property
    def failing(self) -> tuple[CheckResult, ...]:
        """Checks that did not hold when they ran last."""
        return tuple(each for each in self.checks if not each.holds)


class Mails(msgspec.Struct, frozen=True):
    """Deliveries that are not sent: waiting, of those tried in vain, and given up on."""

    count_waiting: int = 0
    count_failing: int = 0
    count_blocked: int = 0
    waiting_since: dt.datetime | None = None
    last_error: str | None = None


class TrackerHealth(msgspec.Struct, frozen=True):
    """The tracker's part; dates are None until there is such a day."""

    closed_through: dt.date | None
    first_date: dt.date | None
    published_position: int
    last_position: int
    mails: Mails

    @property
    def count_unpublished(self) -> int:
        """Events of the log that Kafka has not acknowledged."""
        return max(0, self.last_position - self.published_position)

    def count_days_open(self, today: dt.date) -> int:
        """Days that are over and not closed."""
        if self.first_date is None:
            return 0
        before = self.closed_through or self.first_date - ONE_DAY
        return max(0, (today - ONE_DAY - before).days)


def read_lake_health(connection: duckdb.DuckDBPyConnection, *, reader: Reader) -> LakeHealth:
    """Everything the lake knows of its own health. Raises ReadRefusedError."""
    require_role(reader, ADMINS)
    with snapshot(connection):
        return LakeHealth(
            state=read_lake_state(connection),
            quarantine=tuple(rows(connection, QuarantineReason, "operations_quarantine")),
            newest=tuple(rows(connection, NewestRecord, "operations_newest", rows_max=RECORDS_MAX)),
            checks=tuple(read_results(connection)),
        )


def read_tracker_health(connection: Connection, *, reader: Reader) -> TrackerHealth:
    """How far closing, publishing and mail are. Raises ReadRefusedError."""
    require_role(reader, ADMINS)
    row = connection.execute(_DAYS).one()
    mails = Mails(**connection.execute(_MAIL).one()._mapping) if row.has_mail else Mails()
    return TrackerHealth(
        closed_through=row.closed_through,
        first_date=row.first_date,
        published_position=row.published_position,
        last_position=row.last_position,
        mails=mails,
    )
