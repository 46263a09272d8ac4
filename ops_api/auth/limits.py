"""How often a sign-in may be tried: per account and address together, and per address.

Every try is counted before the password is looked at, in one statement, so a burst of them gets no
further than one after the other. Somebody who guesses from elsewhere never locks the owner out: the
waits of an account go by the address that failed.
"""

import datetime as dt
import hashlib

from sqlalchemy import Connection, text

from ops_api.errors import RuleViolation

FREE_TRIES_OF_PAIR = 5
FREE_TRIES_OF_ADDRESS = 50
WAIT_SECONDS_MAX = 900
FORGOTTEN_AFTER = dt.timedelta(hours=1)
PURGED_AT_ONCE_MAX = 100

# A try is counted only if the wait is over: 1, 3, 7, ... seconds after the free ones.
_COUNT = text("""
insert into sign_in_tries as tries (key, count_tries, last_at) values (:key, 1, :now)
on conflict (key) do update set
    count_tries = case when tries.last_at < :forgotten then 1 else tries.count_tries + 1 end,
    last_at = :now
where tries.last_at + make_interval(secs => least(
    power(2, least(greatest(tries.count_tries - :free_tries, 0), 20)) - 1, :wait_seconds_max
)) <= :now
""")
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


class TooManyTriesError(RuleViolation):
    """The wait after so many wrong passwords is not over."""

    status = 429
    title = "Too many tries"


def count_try(connection: Connection, *, email: str, address: str, now: dt.datetime) -> None:
    """Count a try; raises TooManyTriesError, the same for addresses that nobody has."""
    forgotten = now - FORGOTTEN_AFTER
    connection.execute(_PURGE, {"forgotten": forgotten, "limit": PURGED_AT_ONCE_MAX})
    for key, free_tries in (
        (_key(email, address), FREE_TRIES_OF_PAIR),
        (_key("", address), FREE_TRIES_OF_ADDRESS),
    ):
        values = {
            "key": key,
            "now": now,
            "forgotten": forgotten,
            "free_tries": free_tries,
            "wait_seconds_max": WAIT_SECONDS_MAX,
        }
        if connection.execute(_COUNT, values).rowcount == 0:
            raise TooManyTriesError("too-many-tries", "Too many tries. Wait a while, then go on.")


def forget_tries(connection: Connection, *, email: str, address: str) -> None:
    """The password was right: nothing of this pair counts any more."""
    connection.execute(_FORGET, {"key": _key(email, address)})
    connection.execute(_GIVE_BACK, {"key": _key("", address)})


def _key(email: str, address: str) -> bytes:
    whole = f"{email.strip().lower()}\n{address}"
    return hashlib.sha256(whole.encode("utf-8", "replace")).digest()
