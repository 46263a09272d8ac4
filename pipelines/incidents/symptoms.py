"""Looks for trouble in PostgreSQL and the lake; what Dagster knows is looked up in `defs`."""

import datetime as dt
from collections.abc import Iterator

import duckdb
from sqlalchemy import Engine, text

from pipelines import metrics
from pipelines.incidents.kinds import (
    MAIL_BLOCKED,
    QUARANTINE_WAITS,
    RELAY_BEHIND,
    Symptom,
    symptom,
)
from warehouse.quarantine import count_open

# The relay publishes within a second; a minute means that something is in the way.
RELAY_SECONDS_MAX = 60.0

# The same moment as the tracker's own figure of what waits.
_WAITING_SINCE = text("""
select least(
    (select occurred_at from outbox order by outbox_id limit 1),
    (select recorded_at from event_log where position = published_position + 1)
)
from publications
""")
_BLOCKED = text("select count(*), min(last_error) from mail.deliveries where state = 'blocked'")


def find_in_tracker(tracker: Engine, now: dt.datetime) -> list[Symptom]:
    """What the tracker's database shows at the moment."""
    return [*_of_relay(tracker, now), *_of_mail(tracker)]


def find_in_lake(lake: duckdb.DuckDBPyConnection) -> list[Symptom]:
    """What the lake shows at the moment; the figure of its quarantine is set on the way."""
    count = count_open(lake).count
    metrics.QUARANTINE_WAITING.set(count)
    if not count:
        return []
    words = "1 record waits" if count == 1 else f"{count:,} records wait"
    return [symptom(QUARANTINE_WAITS, f"{words} for somebody to look at")]


def _of_relay(tracker: Engine, now: dt.datetime) -> Iterator[Symptom]:
    with tracker.connect() as connection:
        since = connection.execute(_WAITING_SINCE).scalar_one_or_none()
    seconds = (now - since).total_seconds() if since is not None else 0.0
    if seconds > RELAY_SECONDS_MAX:
        summary = f"committed events have waited since {since:%Y-%m-%d %H:%M:%S} UTC"
        yield symptom(RELAY_BEHIND, summary)


def _of_mail(tracker: Engine) -> Iterator[Symptom]:
    with tracker.connect() as connection:
        count, error = connection.execute(_BLOCKED).one()
    if count:
        yield symptom(MAIL_BLOCKED, f"{count:,} payouts' mails are blocked, for instance: {error}")
