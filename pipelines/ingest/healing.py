"""Brings events straight from the log that the broker acknowledged and then lost.

The tracker's `publications` row says up to which position the broker had everything. When the lake
lacks such a position, nothing more of it can be on its way, and no progress is made for a while,
the missing rows are read from `event_log`. Only table names are shared with the tracker.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from warehouse.ingest import LogRow
from warehouse.state import IngestState, Partition

STALL_SECONDS = 5.0
ROWS_MAX = 20_000

_PUBLISHED = text("select published_position from publications")
_MISSING = text(
    "select position, topic, body from event_log"
    " where position > :contiguous and position <= :published"
    " order by position limit :rows_max"
)


def read_published_position(tracker: Engine) -> int:
    """Every position up to here has been acknowledged by the broker."""
    with tracker.connect() as connection:
        return int(connection.execute(_PUBLISHED).scalar_one_or_none() or 0)


def read_missing(tracker: Engine, contiguous: int, published: int) -> list[LogRow]:
    """The first rows of the log after `contiguous`, at most ROWS_MAX of them."""
    bounds = {"contiguous": contiguous, "published": published, "rows_max": ROWS_MAX}
    with tracker.connect() as connection:
        rows = connection.execute(_MISSING, bounds).all()
    return [LogRow(position, topic, body.encode()) for position, topic, body in rows]


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
