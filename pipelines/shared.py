"""One object for the whole process, shared by ticks that run on any thread.

Opening a lake or a consumer takes half a second and a tick comes every five, so they are kept;
a tick that failed may have left one in any state, so it is thrown away. What is open when the
process ends is closed while daemon threads live: a Kafka consumer would wait for its own in vain.
"""

import atexit
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")

# A tick waits this long for the one before it; longer means that one hangs.
WAIT_SECONDS_MAX = 45.0


class BusyError(Exception):
    """Somebody else in this process still uses the object."""


class Shared(Generic[T]):
    """Opened when first used, used by one thread at a time, opened anew after an error."""

    def __init__(self, open_object: Callable[[], AbstractContextManager[T]]) -> None:
        self._open_object = open_object
        self._lock = threading.Lock()
        self._opened: tuple[AbstractContextManager[T], T] | None = None

    @contextmanager
    def use(self) -> Iterator[T]:
        """The object, for this thread alone; raises BusyError after WAIT_SECONDS_MAX."""
        if not self._lock.acquire(timeout=WAIT_SECONDS_MAX):
            raise BusyError(f"still in use after {WAIT_SECONDS_MAX:.0f} seconds")
        try:
            if self._opened is None:
                manager = self._open_object()
                self._opened = manager, manager.__enter__()
                atexit.register(self.close)
            yield self._opened[1]
        except BaseException:
            self._close()
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the object if it is open; the next use opens another."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._opened is not None:
            manager, _ = self._opened
            self._opened = None
            atexit.unregister(self.close)
            manager.__exit__(None, None, None)
