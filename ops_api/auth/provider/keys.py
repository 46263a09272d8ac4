"""The keys that sign ID tokens: RSA, one private file each (0600) in a folder of their own.

The newest signs. Older ones stay published as long as something signed by them may come back, so
a rotation ends no session. Running trackers notice a new file by themselves.
"""

import contextlib
import datetime as dt
import fcntl
import itertools
import json
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

from joserfc.jwk import KeySet, RSAKey

ALGORITHM = "RS256"
BITS = 2048
# The dashboards' cookie keeps an ID token for 30 days and hands it back when its owner signs out.
KEPT = dt.timedelta(days=35)
SUFFIX = ".jwk.json"
_STAMP = "%Y%m%dT%H%M%S%fZ"  # names sort by age


class KeyRing:
    """The keys in one folder, which is made, with a first key, when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: tuple[str, ...] = ()
        self._keys: list[RSAKey] = []

    def signing_key(self) -> RSAKey:
        """The newest key."""
        return self._all()[-1]

    def key_set(self) -> KeySet:
        """Every key that still counts, to check signatures with."""
        return KeySet(list(self._all()))

    def published(self) -> dict[str, object]:
        """The public halves as a JSON Web Key Set."""
        return {"keys": [key.as_dict(private=False) for key in self._all()]}

    def rotate(self, now: dt.datetime) -> str:
        """Add a key that signs from now on and drop those past their time; its id."""
        with _alone(self._folder):
            names = _names(self._folder)
            # A key has been superseded since the next one was made.
            for name, successor in itertools.pairwise(names):
                if _made_at(successor) < now - KEPT:
                    (self._folder / name).unlink()
            return _create(self._folder, now)

    def ids(self) -> list[tuple[str, dt.datetime]]:
        """Each key's id and when it was made, oldest first."""
        return [
            (str(key.kid), _made_at(name))
            for key, name in zip(self._all(), self._seen, strict=True)
        ]

    def _all(self) -> list[RSAKey]:
        with self._lock:
            names = _names(self._folder)
            if not names:
                with _alone(self._folder):
                    if not _names(self._folder):
                        _create(self._folder, dt.datetime.now(dt.UTC))
                names = _names(self._folder)
            if tuple(names) != self._seen:
                texts = [(self._folder / name).read_text("ascii") for name in names]
                self._keys = [RSAKey.import_key(json.loads(text)) for text in texts]
                self._seen = tuple(names)
            return self._keys


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(SUFFIX))


def _made_at(name: str) -> dt.datetime:
    stamp = name.removesuffix(SUFFIX).partition("-")[0]
    return dt.datetime.strptime(stamp, _STAMP).replace(tzinfo=dt.UTC)


def _create(folder: Path, now: dt.datetime) -> str:
    key = RSAKey.generate_key(BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    draft = folder / f".{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(key.as_dict(private=True), file)
        file.flush()
        os.fsync(file.fileno())
    kid = str(key.kid)
    draft.rename(folder / f"{now.strftime(_STAMP)}-{kid[:8]}{SUFFIX}")
    return kid


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process at a time makes or removes keys."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
