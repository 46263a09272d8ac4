"""One supervisor per ATES_HOME: a lock the kernel drops when its holder ends, however it ends."""

import fcntl
import os
from pathlib import Path
from typing import TextIO


class AlreadyRunningError(RuntimeError):
    """Another process supervises this ATES_HOME; the message names it."""


class HomeLock:
    """The lock of one home."""

    def __init__(self, home: Path) -> None:
        """Take nothing yet."""
        self._path = home / "run" / "lock"
        self._home = home
        self._file: TextIO | None = None

    def take(self) -> None:
        """Hold it until `release` or the end of this process; raises AlreadyRunningError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise AlreadyRunningError(
                f"already running for {self._home} (process {self.holder()}): "
                "`ates status` shows it, `ates down` stops it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let the next one in."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process that holds it now, if any."""
        if not self._path.exists():
            return None
        with self._path.open(encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
        return None
