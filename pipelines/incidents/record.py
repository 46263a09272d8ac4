"""Incidents in PostgreSQL: a symptom opens one, a while without it resolves it, each told once.

One transaction a look. It inserts an incident and the mails about it together, so there is never
one without the other, and the unique index on open incidents keeps a second looker from opening
the same again. Sending is `pipelines.mail.alerts`.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Engine, text

from pipelines.incidents.kinds import Symptom
from pipelines.mail.database import create_schema, open_engine

# Shorter, and a trouble that comes and goes would be told again and again.
FINE_FOR = dt.timedelta(minutes=5)
SUMMARY_LENGTH_MAX = 1_000
LISTED_MAX = 200
# Lookers take turns, so that none meets rows that another one is about to change.
LOOK_LOCK = 0x61746512

OPEN = text("""
insert into mail.incidents (key, kind, summary, opened_at, seen_at)
select key, kind, summary, :now, :now
from unnest(cast(:keys as text[]), cast(:kinds as text[]), cast(:summaries as text[]))
    as found(key, kind, summary)
on conflict (key) where resolved_at is null do nothing
returning incident_id
""")
SEE_AGAIN = text("""
update mail.incidents as incident
set seen_at = :now, fine_since = null, summary = found.summary
from unnest(cast(:keys as text[]), cast(:summaries as text[])) as found(key, summary)
where incident.key = found.key and resolved_at is null
""")
FIND_FINE = text("""
update mail.incidents set fine_since = :now
where
    resolved_at is null
    and fine_since is null
    and key <> all(cast(:keys as text[]))
    and kind <> all(cast(:unknown as text[]))
""")
RESOLVE = text("""
update mail.incidents set resolved_at = :now
where resolved_at is null and fine_since <= :fine_since
returning incident_id
""")
TELL_OPENED = text("""
insert into mail.alerts (incident_id, moment, email, next_attempt_at, planned_at)
select incident_id, 'opened', email, :now, :now
from unnest(cast(:incident_ids as uuid[])) as incident_id
cross join unnest(cast(:emails as text[])) as email
on conflict do nothing
""")
# Whoever was told of an incident is told of its end.
TELL_RESOLVED = text("""
insert into mail.alerts (incident_id, moment, email, next_attempt_at, planned_at)
select incident_id, 'resolved', email, :now, :now
from mail.alerts
where moment = 'opened' and incident_id = any(cast(:incident_ids as uuid[]))
on conflict do nothing
""")
READ = text("""
select incident_id, key, kind, summary, opened_at, seen_at, fine_since, resolved_at,
    count(sent_at) as count_mails_sent, count(alert_id) as count_mails
from mail.incidents left join mail.alerts using (incident_id)
where resolved_at is null or :is_all
group by incident_id
order by resolved_at is not null, opened_at desc
limit :limit
""")
# The mails of an incident go with it.
FORGET = text("delete from mail.incidents where resolved_at <= :resolved_before")
KEPT = dt.timedelta(days=365)


class Change(msgspec.Struct, frozen=True):
    """What one look changed."""

    opened: list[UUID]
    resolved: list[UUID]


class Incident(msgspec.Struct, frozen=True):
    """One incident; `fine_since` is set once its symptom is gone, `resolved_at` when that lasts."""

    incident_id: UUID
    key: str
    kind: str
    summary: str
    opened_at: dt.datetime
    seen_at: dt.datetime
    fine_since: dt.datetime | None
    resolved_at: dt.datetime | None
    count_mails_sent: int
    count_mails: int

    @property
    def state(self) -> Literal["open", "fine for now", "resolved"]:
        """As people are shown it."""
        if self.resolved_at is not None:
            return "resolved"
        return "open" if self.fine_since is None else "fine for now"


@contextmanager
def open_record(database_url: str) -> Iterator[Engine]:
    """The tracker's database, with the tables of mail and incidents."""
    engine = open_engine(database_url)
    try:
        create_schema(engine)
        yield engine
    finally:
        engine.dispose()


def note(
    engine: Engine,
    symptoms: Sequence[Symptom],
    *,
    emails: Sequence[str],
    now: dt.datetime,
    unknown: Sequence[str] = (),
) -> Change:
    """Record one look: all that is wrong now. Mails to `emails` are written, not yet sent.

    Kinds in `unknown` could not be looked at: their incidents stay as they are.
    """
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOOK_LOCK})
        opened = _open(connection, symptoms, emails, now)
        keys = [each.key for each in symptoms]
        connection.execute(FIND_FINE, {"keys": keys, "unknown": list(unknown), "now": now})
        bound = {"now": now, "fine_since": now - FINE_FOR}
        resolved = list(connection.execute(RESOLVE, bound).scalars())
        connection.execute(TELL_RESOLVED, {"incident_ids": resolved, "now": now})
        connection.execute(FORGET, {"resolved_before": now - KEPT})
    return Change(opened, resolved)


def read_incidents(engine: Engine, *, is_all: bool = False) -> list[Incident]:
    """The open ones, newest first, then if asked for the resolved ones; LISTED_MAX at most."""
    with engine.connect() as connection:
        rows = connection.execute(READ, {"is_all": is_all, "limit": LISTED_MAX}).all()
    return [msgspec.convert(row._mapping, Incident) for row in rows]


def _open(
    connection: Connection, symptoms: Sequence[Symptom], emails: Sequence[str], now: dt.datetime
) -> list[UUID]:
    values = {
        "keys": [each.key for each in symptoms],
        "kinds": [each.kind for each in symptoms],
        "summaries": [each.summary[:SUMMARY_LENGTH_MAX] for each in symptoms],
        "now": now,
    }
    opened = list(connection.execute(OPEN, values).scalars())
    connection.execute(SEE_AGAIN, values)
    values = {"incident_ids": opened, "emails": list(emails), "now": now}
    connection.execute(TELL_OPENED, values)
    return opened
