"""The relay's log lines about what it published: one for a stretch of positions, not one a page."""

import logging
import time

from contracts import logs

# Short enough to tell when an event went out, long enough that a busy day fits into the log.
SECONDS_PER_LINE = 5.0

log = logging.getLogger("ates.relay")


class Progress:
    """Collects published pages until a line is due; positions follow each other without a gap."""

    def __init__(self) -> None:
        self._first_position = 0
        self._last_position = 0
        self._count_pages = 0
        self._began = 0.0

    def add(self, first_position: int, last_position: int) -> None:
        """Kafka has acknowledged this page."""
        if not self._count_pages:
            self._first_position = first_position
            self._began = time.monotonic()
        self._last_position = last_position
        self._count_pages += 1

    def tell(self, *, is_last: bool = False) -> None:
        """Write the line if it is due, or if nothing comes any more."""
        if not self._count_pages:
            return
        if not is_last and time.monotonic() - self._began < SECONDS_PER_LINE:
            return
        line = logs.line(
            "published",
            first_position=self._first_position,
            last_position=self._last_position,
            pages=self._count_pages,
        )
        log.info(line)
        self._count_pages = 0
