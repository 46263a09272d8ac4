"""What a new password must be like; said at every form that asks for one.

Length makes guessing long, and zxcvbn knows what is guessed first: frequent passwords, words and
names, rows of keys, dates, repetitions. Nobody is asked for digits or signs: people put those where
guessers look for them.
"""

import threading
import unicodedata

from zxcvbn import zxcvbn

from ops_api.auth.rules import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN
from ops_api.errors import UnacceptableError

# Of 0 to 4: more than 100 million guesses, which the hash and the waits make far too many.
SCORE_MIN = 3
# The judge's time grows with the square of the length; what comes later only adds to the strength.
JUDGED_LENGTH_MAX = 64
# A shorter name may well be part of a longer word.
PERSONAL_LENGTH_MIN = 4

_judge_lock = threading.Lock()  # zxcvbn keeps what is personal in a module's variable


def require_good(password: str, *, name: str, email: str) -> None:
    """Raises UnacceptableError for a password too short or long, personal, or easily guessed."""
    candidate = unicodedata.normalize("NFC", password)
    if not PASSWORD_LENGTH_MIN <= len(candidate) <= PASSWORD_LENGTH_MAX:
        raise UnacceptableError(
            "password-length",
            f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.",
        )
    if not candidate.isprintable():
        raise UnacceptableError(
            "password-unprintable", "A password holds letters, digits, signs and spaces."
        )
    if _is_personal(candidate, name, email):
        raise UnacceptableError(
            "password-personal", "Your name or e-mail address is the first that others would try."
        )
    if _score(candidate[:JUDGED_LENGTH_MAX], name, email) < SCORE_MIN:
        raise UnacceptableError(
            "password-common",
            "This password is easily guessed. Take several words that do not belong together.",
        )


def _is_personal(password: str, name: str, email: str) -> bool:
    """Whether the name or the address, or the part before its @, stands in the password."""
    within = _squashed(password)
    known = (_squashed(words) for words in (name, email, email.partition("@")[0]))
    return any(len(each) >= PERSONAL_LENGTH_MIN and each in within for each in known)


def _squashed(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def _score(password: str, name: str, email: str) -> int:
    with _judge_lock:
        score: int = zxcvbn(password, [*name.split(), *email.split("@")])["score"]
    return score
