"""Brings events straight from the log that the broker acknowledged and then lost.

The tracker's `publications` row says up to which position the broker had everything. When the lake
lacks such a position, nothing more of it can be on its way, and no progress is made for a while,
the missing rows are read from `event_log`. Only names of tables are shared with the tracker.
"""

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Engine, text

from warehouse.ingest import LogRow
from warehouse.quarantine import Discard
from warehouse.rebuild import EventLog
from warehouse.state import IngestState, Partition

STALL_SECONDS = 5.0
ROWS_MAX = 20_000

_PUBLISHED = text("select published_position from publications")
_OCCURRED_AT = text("select occurred_at from event_log where position = :position")
_MISSING = text(
    "select position, topic, body from event_log"
    " where position > :contiguous and position <= :published"
    " order by position limit :rows_max"
)
_POSITIONS = text(
    "select position, topic, body from event_log where position = any(:positions) order by position"
)
_DISCARDS = text(
    "select position, business_date, fee_cents, reward_cents, reason, discarded_by, discarded_at"
    " from discarded_events order by position"
)


def read_published_position(tracker: Engine) -> int:
    """Every position up to here has been acknowledged by the broker."""
    with tracker.connect() as connection:
        return int(connection.execute(_PUBLISHED).scalar_one_or_none() or 0)


def read_occurred_at(tracker: Engine, position: int) -> dt.datetime | None:
    """When the event at a position happened; None when the log has not come so far."""
    with tracker.connect() as connection:
        found = connection.execute(_OCCURRED_AT, {"position": position}).scalar_one_or_none()
    return found.astimezone(dt.UTC) if isinstance(found, dt.datetime) else None


def read_missing(tracker: Engine, contiguous: int, published: int) -> list[LogRow]:
    """The first rows of the log after `contiguous`, at most ROWS_MAX of them."""
    bounds = {"contiguous": contiguous, "published": published, "rows_max": ROWS_MAX}
    with tracker.connect() as connection:
        rows = connection.execute(_MISSING, bounds).all()
    return [LogRow(position, topic, body.encode()) for position, topic, body in rows]


def read_positions(tracker: Engine, positions: Sequence[int]) -> list[LogRow]:
    """The rows of the log at these positions, in their order; those it has."""
    with tracker.connect() as connection:
        rows = connection.execute(_POSITIONS, {"positions": list(positions)}).all()
    return [LogRow(position, topic, body.encode()) for position, topic, body in rows]


def read_discards(tracker: Engine) -> list[Discard]:
    """Every decision to do without an event of the log."""
    with tracker.connect() as connection:
        rows = connection.execute(_DISCARDS).all()
    return [Discard(*row) for row in rows]


def read_event_log(tracker: Engine) -> EventLog:
    """The log and the decisions about it, as a rebuild reads them."""
    return EventLog(partial(read_missing, tracker), read_discards(tracker))


def is_lost(state: IngestState, end_offsets: Mapping[Partition, int]) -> bool:
    """Whether no partition can bring the next position any more.

    Each one is read to its end, or has already brought a later position. A broker that does not
    answer (no end offsets) brings nothing either.
    """
    for place, end in end_offsets.items():
        known = state.partitions.get(place)
        is_read = known is not None and known.next_offset >= end
        is_past = known is not None and known.last_position > state.contiguous_position + 1
        if end > 0 and not is_read and not is_past:
            return False
    return True


@dataclass
class StallWatch:
    """Notices that the contiguous position stands still although more was published."""

    stall_seconds: float = STALL_SECONDS
    clock: Callable[[], float] = time.monotonic
    _position: int = field(default=-1, init=False)
    _since: float = field(default=0.0, init=False)

    def is_stalled(self, contiguous: int, published: int) -> bool:
        """Call it every second or so; true once nothing has moved for `stall_seconds`."""
        now = self.clock()
        if contiguous >= published or contiguous != self._position:
            self._position = contiguous
            self._since = now
            return False
        return now - self._since >= self.stall_seconds
