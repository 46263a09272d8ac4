"""Ctrl-C, SIGTERM and a closed terminal all mean: stop in order; a second time: at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Handlers for the main thread; elsewhere Python has none and this does nothing."""

    def __init__(self) -> None:
        """Install nothing yet."""
        self._before: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Turn the stopping signals into KeyboardInterrupt."""
        if threading.current_thread() is threading.main_thread():
            self._before = {what: signal.signal(what, _interrupt) for what in STOPPING}

    def restore(self) -> None:
        """Give back what was there before."""
        for what, handler in self._before.items():
            signal.signal(what, handler)
        self._before = {}

    @contextlib.contextmanager
    def hurry_on_second(self, hurry: Callable[[], None]) -> Iterator[None]:
        """While stopping, a further signal calls `hurry` and does not interrupt."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            hurry()

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {what: signal.signal(what, handle) for what in STOPPING}
        try:
            yield
        finally:
            for what, handler in before.items():
                signal.signal(what, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
