"""Time is handed in, never looked up: a test, an import or a simulated month brings its own."""

import datetime as dt
from collections.abc import Callable

Clock = Callable[[], dt.datetime]


def system_clock() -> dt.datetime:
    """The present, as an aware datetime in UTC."""
    return dt.datetime.now(dt.UTC)
