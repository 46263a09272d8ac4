"""How often something may be tried: per account and address together, and per address.

Every try is counted before anything is looked at, in one statement, so a burst of them gets no
further than one after the other. Somebody who guesses from elsewhere never locks the owner out: the
waits of an account go by the address that failed.
"""

import datetime as dt
import hashlib
import math
from dataclasses import dataclass

from sqlalchemy import Connection, text

from ops_api.errors import TooManyTriesError

WAIT_SECONDS_MAX = 900
FORGOTTEN_AFTER = dt.timedelta(hours=1)
PURGED_AT_ONCE_MAX = 100


@dataclass(frozen=True)
class Limit:
    """What is tried, and how often before one has to wait, by account and address, by address."""

    what: str
    free_tries_of_pair: int
    free_tries_of_address: int


PASSWORDS = Limit("password", 5, 50)
LINKS = Limit("link", 3, 20)

# A try is counted only if the wait is over: 1, 3, 7, ... seconds after the free ones. One whose
# clock was read before the last one was counted is taken for simultaneous, not for too early.
_OVER_AT = """
tries.last_at + make_interval(secs => least(
    power(2, least(greatest(tries.count_tries - :free_tries, 0), 20)) - 1, :wait_seconds_max
))
"""
_COUNT = text(f"""
insert into sign_in_tries as tries (key, count_tries, last_at) values (:key, 1, :now)
on conflict (key) do update set
    count_tries = case when tries.last_at < :forgotten then 1 else tries.count_tries + 1 end,
    last_at = greatest(tries.last_at, :now)
where {_OVER_AT} <= greatest(tries.last_at, :now)
""")  # noqa: S608 - our own constant
_WAIT = text(f"""
select extract(epoch from {_OVER_AT} - :now) from sign_in_tries as tries where key = :key
""")  # noqa: S608 - our own constant
_FORGET = text("delete from sign_in_tries where key = :key")
_GIVE_BACK = text("""
update sign_in_tries set count_tries = greatest(count_tries - 1, 0) where key = :key
""")
_PURGE = text("""
delete from sign_in_tries where key in (
    select key from sign_in_tries where last_at < :forgotten
    order by last_at limit :limit for update skip locked
)
""")


def count_try(
    connection: Connection, limit: Limit, *, email: str, address: str, now: dt.datetime
) -> None:
    """Count a try; raises TooManyTriesError, the same for addresses that nobody has."""
    forgotten = now - FORGOTTEN_AFTER
    connection.execute(_PURGE, {"forgotten": forgotten, "limit": PURGED_AT_ONCE_MAX})
    for key, free_tries in (
        (_key(limit, email, address), limit.free_tries_of_pair),
        (_key(limit, "", address), limit.free_tries_of_address),
    ):
        values = {
            "key": key,
            "now": now,
            "forgotten": forgotten,
            "free_tries": free_tries,
            "wait_seconds_max": WAIT_SECONDS_MAX,
        }
        if connection.execute(_COUNT, values).rowcount == 0:
            wait_seconds = connection.execute(_WAIT, values).scalar_one()
            raise TooManyTriesError(
                "too-many-tries",
                "Too many tries. Wait a while, then go on.",
                max(1, math.ceil(wait_seconds)),
            )


def forget_tries(connection: Connection, limit: Limit, *, email: str, address: str) -> None:
    """It was right: nothing of this pair counts any more."""
    connection.execute(_FORGET, {"key": _key(limit, email, address)})
    connection.execute(_GIVE_BACK, {"key": _key(limit, "", address)})


def _key(limit: Limit, email: str, address: str) -> bytes:
    whole = f"{limit.what}\n{email.strip().lower()}\n{address}"
    return hashlib.sha256(whole.encode("utf-8", "replace")).digest()
