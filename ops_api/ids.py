"""Ids are UUIDs of version 7 made from the injected clock and chance (RFC 9562)."""

import datetime as dt
import random
from uuid import UUID

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


def uuid7(at: dt.datetime, rng: random.Random) -> UUID:
    """An id that sorts by its moment to the millisecond; 74 bits are random."""
    milliseconds = (at - _EPOCH) // _MILLISECOND
    random_a, random_b = divmod(rng.getrandbits(74), 1 << 62)
    return UUID(int=milliseconds << 80 | _VERSION_7 | random_a << 64 | _VARIANT | random_b)
