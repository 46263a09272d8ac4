"""How far events have come on their way to Kafka."""

import datetime as dt

import msgspec
from sqlalchemy import Connection, text

# A position's waiting begins when it is numbered; an event without one waits since it occurred
# (for an imported event, whose day is long past, that is too long: it is never there for long).
_BACKLOG = text("""
select
    last_position,
    published_position,
    (select count(*) from outbox) as count_unmoved,
    least(
        (select occurred_at from outbox order by outbox_id limit 1),
        (select recorded_at from event_log where position = published_position + 1)
    ) as waiting_since
from log_head cross join publications
""")


class Backlog(msgspec.Struct, frozen=True):
    """What waits for the relay: events without a position, and positions not published.

    `waiting_since` is the moment since which the oldest of them waits; None when none does.
    """

    last_position: int
    published_position: int
    count_unmoved: int
    waiting_since: dt.datetime | None


def read_backlog(connection: Connection) -> Backlog:
    """The backlog of this moment, in one statement."""
    return Backlog(**connection.execute(_BACKLOG).one()._mapping)
