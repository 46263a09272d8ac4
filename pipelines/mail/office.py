"""One round over payouts' mails: plan what was paid since, send what is due, count what waits.

On a quiet night a look is two questions instead: whether any mail waits, and whether the lake is
still the one of whose payouts all mails were planned.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import duckdb
import msgspec
from sqlalchemy import Engine, text

from pipelines import metrics
from pipelines.lakes import open_reader
from pipelines.mail.deliveries import read_queue, send_deliveries
from pipelines.mail.planning import plan_deliveries
from pipelines.mail.post import Desk, SendReport, open_desk
from pipelines.settings import MailSettings
from warehouse.reading import read_snapshot_id
from warehouse.settings import LakeSettings

# Blocked deliveries count when they are due again, all others as long as they wait.
WAITING = text("""
select
    exists (select from sign_in_links where letter is not null or expires_at <= :now) as letters,
    exists (select from mail.alerts where sent_at is null) as alerts,
    exists (
        select from mail.deliveries
        where state in ('pending', 'sending') or (state = 'blocked' and next_attempt_at <= :now)
    ) as deliveries,
    (select planned_through from mail.planning) as planned_through
""")


class Waiting(msgspec.Struct, frozen=True):
    """Of what kind mail waits, and the day up to which payouts' mails are planned."""

    letters: bool
    alerts: bool
    deliveries: bool
    planned_through: dt.date | None


class RoundReport(msgspec.Struct, frozen=True):
    """What one round did, and how many deliveries are in which state after it."""

    count_planned: int
    sent: SendReport
    states: dict[str, int]

    @property
    def is_quiet(self) -> bool:
        """Whether there was nothing to do."""
        sent = self.sent
        return not (
            self.count_planned or sent.count_sent or sent.count_retried or sent.count_blocked
        )


@dataclass
class Office:
    """Where payouts' mails are written; `planned_at`: a lake and a day with nothing to plan."""

    desk: Desk
    lake: duckdb.DuckDBPyConnection
    zone: ZoneInfo
    planned_at: tuple[int, dt.date | None] | None = None

    def is_idle(self, waiting: Waiting) -> bool:
        """Whether a round would find nothing to do."""
        here = read_snapshot_id(self.lake), waiting.planned_through
        return not waiting.deliveries and here == self.planned_at

    def work(self, *, budget_seconds: float) -> RoundReport:
        """Plan, send for about `budget_seconds`, count. What is left is for the next round."""
        engine, clock = self.desk.engine, self.desk.clock
        here = read_snapshot_id(self.lake)
        count_planned = plan_deliveries(
            self.lake, engine, mail_from=self.desk.mail_from, now=clock()
        )
        sent = send_deliveries(self.desk, self.lake, self.zone, budget_seconds=budget_seconds)
        queue = read_queue(engine)
        metrics.note_mail_round(queue.counts, queue.waiting_since, clock())
        self.planned_at = here, read_waiting(engine, clock()).planned_through
        return RoundReport(count_planned, sent, queue.counts)


@contextmanager
def open_office(
    mail: MailSettings, lake: LakeSettings, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Office]:
    """Everything a round needs, kept open; makes the tables when they are missing."""
    with open_desk(mail, should_stop) as desk, open_reader(lake) as connection:
        yield Office(desk, connection, mail.zone)


def read_waiting(engine: Engine, now: dt.datetime) -> Waiting:
    """In one question to PostgreSQL."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return Waiting(*connection.execute(WAITING, {"now": now}).one())
