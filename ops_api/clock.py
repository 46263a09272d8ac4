"""Time is handed in, never looked up: a test, an import or a simulated month brings its own."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated

from msgspec import Meta

Clock = Callable[[], dt.datetime]
# A moment in answers and requests: always with its zone.
Moment = Annotated[dt.datetime, Meta(tz=True)]


def system_clock() -> dt.datetime:
    """The present, as an aware datetime in UTC."""
    return dt.datetime.now(dt.UTC)
