"""What holds for signing in: how long a session lives, how long a password may be."""

import datetime as dt
from dataclasses import dataclass

SESSION_IDLE = dt.timedelta(hours=4)
SESSION_LIFETIME = dt.timedelta(hours=12)
# Of an access token; no longer than its session, and until then no reason to ask again.
TOKEN_LIFETIME = dt.timedelta(hours=8)
SERVICE_TOKEN_LIFETIME = dt.timedelta(minutes=15)
CODE_LIFETIME = dt.timedelta(seconds=60)
# A session is marked as seen at most this often, so that reading does not become writing.
SEEN_STEP = dt.timedelta(minutes=1)
# Whoever has forgotten the password and asks again gets no second mail before this.
LINK_PAUSE = dt.timedelta(minutes=5)
PASSWORD_LENGTH_MIN = 12
# Longer ones are wrong at once: nobody may keep us busy with a book.
PASSWORD_LENGTH_MAX = 128
ADDRESS_LENGTH_MAX = 4000


@dataclass(frozen=True)
class Lifetimes:
    """How long a link works: for who has no password yet, and for who has forgotten it."""

    first: dt.timedelta
    reset: dt.timedelta


def is_alive(now: dt.datetime, *, last_seen_at: dt.datetime, expires_at: dt.datetime) -> bool:
    """Whether a session still counts: not idle for too long, not older than its lifetime."""
    return now < expires_at and now < last_seen_at + SESSION_IDLE


def is_worth_marking(now: dt.datetime, last_seen_at: dt.datetime) -> bool:
    """Whether the last sighting is old enough to be written down anew."""
    return now >= last_seen_at + SEEN_STEP


def local_address(text: str | None) -> str:
    """The text if it is an address within the tracker, else the front page.

    Whoever sends a person here to sign in must not choose another site to go on to.
    """
    is_local = (
        text is not None
        and len(text) <= ADDRESS_LENGTH_MAX
        and text.startswith("/")
        and not text.startswith("//")
        and "\\" not in text
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )
    return text if is_local and text else "/"
