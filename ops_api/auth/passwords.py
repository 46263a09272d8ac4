"""Passwords: argon2id hashes, made by as many threads at once as there are cores.

One hash takes 46 MiB for some 40 ms; without the gate a crowd at the door would take all memory.
"""

import contextlib
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterator

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

from ops_api.auth.rules import PASSWORD_LENGTH_MAX
from ops_api.errors import BusyError

MEMORY_KIB = 46 * 1024
PASSES = 1
LANES = 1
GATE_WAIT_SECONDS = 5.0
GENERATED_BYTES = 12

_hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
_gate = threading.BoundedSemaphore(os.cpu_count() or 1)
_decoy_lock = threading.Lock()
_decoy: list[str] = []


def generate_password() -> str:
    """A password nobody can guess (96 bits), to be shown once."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def hash_password(password: str) -> str:
    """The argon2id hash to store; raises BusyError when too many wait before us."""
    with _turn():
        return _hasher.hash(unicodedata.normalize("NFC", password))


def is_correct(password_hash: str | None, password: str) -> bool:
    """Whether the password fits; without a hash it never does, but takes just as long."""
    candidate = unicodedata.normalize("NFC", password)
    if len(candidate) > PASSWORD_LENGTH_MAX:
        return False
    with _turn():
        try:
            fits = _hasher.verify(
                password_hash or _decoy_hash(), candidate.encode("utf-8", "replace")
            )
        except VerificationError:
            return False
    return fits and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker settings than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _decoy_hash() -> str:
    """A hash of a password nobody has; made once, when first needed."""
    with _decoy_lock:
        if not _decoy:
            _decoy.append(_hasher.hash(secrets.token_urlsafe(GENERATED_BYTES)))
        return _decoy[0]


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    if not _gate.acquire(timeout=GATE_WAIT_SECONDS):
        raise BusyError("Too many people are signing in at this moment.")
    try:
        yield
    finally:
        _gate.release()
