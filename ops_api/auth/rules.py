"""What holds for signing in: how long a session lives, what a password must be."""

import datetime as dt
import unicodedata

from ops_api.errors import UnacceptableError

SESSION_IDLE = dt.timedelta(hours=4)
SESSION_LIFETIME = dt.timedelta(hours=12)
# A session is marked as seen at most this often, so that reading does not become writing.
SEEN_STEP = dt.timedelta(minutes=1)
PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 128


def is_alive(now: dt.datetime, *, last_seen_at: dt.datetime, expires_at: dt.datetime) -> bool:
    """Whether a session still counts: not idle for too long, not older than its lifetime."""
    return now < expires_at and now < last_seen_at + SESSION_IDLE


def is_worth_marking(now: dt.datetime, last_seen_at: dt.datetime) -> bool:
    """Whether the last sighting is old enough to be written down anew."""
    return now >= last_seen_at + SEEN_STEP


def clean_password(password: str) -> str:
    """A new password in NFC; any characters, no composition rules, nothing cut off."""
    if any(unicodedata.category(character) == "Cs" for character in password):
        raise UnacceptableError("bad-password", "The password holds half a character.")
    cleaned = unicodedata.normalize("NFC", password)
    if not PASSWORD_LENGTH_MIN <= len(cleaned) <= PASSWORD_LENGTH_MAX:
        raise UnacceptableError(
            "bad-password",
            f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.",
        )
    return cleaned
