"""Sessions on the server: the browser holds 256 random bits, everything else stays in memory.

When the gate starts anew everybody passes through the provider again, which asks no password of
whoever is still signed in there.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pipelines.gateway.rules import Person

ID_BYTES = 32
SESSIONS_MAX = 1_000
SESSION_SECONDS = 12 * 3600.0
ARRIVALS_MAX = 1_000
ARRIVAL_SECONDS = 600.0

T = TypeVar("T")


@dataclass
class Arrival:
    """A browser on its way through the provider: what must come back, and where it wanted to."""

    oauth: dict[str, Any] = field(default_factory=dict)
    destination: str = "/"


@dataclass
class Session:
    """A browser that came back: its tokens, and what the provider last said of its owner."""

    access_token: str
    id_token: str
    person: Person
    checked_at: float = field(default_factory=time.monotonic)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_over: bool = False


class Kept(Generic[T]):
    """Things under secret ids, so many at most and each for so long; the oldest goes first."""

    def __init__(self, count_max: int, seconds_max: float) -> None:
        self._count_max = count_max
        self._seconds_max = seconds_max
        self._things: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def keep(self, thing: T) -> str:
        """Its new id."""
        now = time.monotonic()
        while self._things and (len(self._things) >= self._count_max or self._is_past(now)):
            self._things.popitem(last=False)
        thing_id = secrets.token_urlsafe(ID_BYTES)
        self._things[thing_id] = (now + self._seconds_max, thing)
        return thing_id

    def find(self, thing_id: str | None) -> T | None:
        """What is kept under this id and not past its time."""
        found = self._things.get(thing_id or "")
        return found[1] if found is not None and time.monotonic() < found[0] else None

    def drop(self, thing_id: str | None) -> T | None:
        """The same, and the id is worthless from now on."""
        found = self.find(thing_id)
        self._things.pop(thing_id or "", None)
        return found

    def _is_past(self, now: float) -> bool:
        return next(iter(self._things.values()))[0] <= now
