"""How many refusals are kept: a few a minute of each kind and address; the rest are only counted.

Whoever is refused writes a row. Without a bound a crowd of them would push everything else out of
the record, and one could hide among them.
"""

import datetime as dt
import threading
from collections import Counter

KEPT_OF_ADDRESS = 20
KEPT_OF_ALL = 200


class Refusals:
    """The refusals of the running minute in this process; any number of threads may ask."""

    def __init__(self) -> None:
        """Nothing was refused yet."""
        self._lock = threading.Lock()
        self._minute: dt.datetime | None = None
        self._kept: Counter[tuple[str, str]] = Counter()
        self._count_untold = 0

    def admit(self, event: str, address: str, at: dt.datetime) -> int | None:
        """None when this one is only to be counted; else how many were so since the last kept."""
        minute = at.replace(second=0, microsecond=0)
        with self._lock:
            if minute != self._minute:
                self._minute = minute
                self._kept.clear()
            is_full = self._kept.total() >= KEPT_OF_ALL
            if is_full or self._kept[event, address] >= KEPT_OF_ADDRESS:
                self._count_untold += 1
                return None
            self._kept[event, address] += 1
            count_untold, self._count_untold = self._count_untold, 0
            return count_untold
