"""The dashboards' one door to the lake, read only; opened when first needed and after a failure.

Beside the lake lies a copy of its kept aggregates in memory, which follows it: pages read there.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb
import msgspec

from contracts import logs
from contracts.environment import read_environment
from dashboards.settings import DashboardSettings
from warehouse.kept import KeptCopy
from warehouse.lake import LakeUnavailableError, connect
from warehouse.settings import LakeSettings

ATTEMPTS_MAX = 2  # the second one opens the lake anew: a server may have been restarted
# How long a newer snapshot may go unnoticed; `frame.REFRESH_SECONDS` has the sum of all waits.
SNAPSHOT_SECONDS = 0.25
# One refresh lets the copy catch up; others go by what it holds meanwhile, unless that is older.
BEHIND_SECONDS_MAX = 0.6
T = TypeVar("T")
log = logging.getLogger(__name__)

_lock = threading.Lock()
_opened: list["_Opened"] = []  # at most one
_silence = threading.Event()  # set while the lake cannot be read: a line a change, not a try


class _Opened:
    """A connection with the copy beside it, and when the copy last looked at the lake."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.copy = KeptCopy(connection)
        self.following = threading.Lock()
        self.looked_at = -SNAPSHOT_SECONDS
        self.snapshot_id = 0


def read(query: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    """What a query answers; it gets a connection of its own, on the copy and the lake.

    Raises LakeUnavailableError.
    """

    def ask(opened: _Opened) -> T:
        with opened.copy.reading() as connection:
            return query(connection)

    follow()
    return _ask(ask)


def follow() -> int:
    """Let the copy catch up with the lake, unless it has just done so; tells its snapshot.

    The same number, the same figures. Raises LakeUnavailableError.
    """

    def ask(opened: _Opened) -> int:
        behind_seconds = time.monotonic() - opened.looked_at
        if behind_seconds < SNAPSHOT_SECONDS:
            return opened.snapshot_id
        if not opened.following.acquire(blocking=behind_seconds >= BEHIND_SECONDS_MAX):
            return opened.snapshot_id  # somebody else is at it
        try:
            begun = time.monotonic()
            if begun - opened.looked_at >= SNAPSHOT_SECONDS:
                opened.snapshot_id = opened.copy.follow()
                opened.looked_at = begun
            return opened.snapshot_id
        finally:
            opened.following.release()

    return _ask(ask)


def look_again() -> None:
    """Let the next `follow` look at the lake, however short ago the last one was."""
    with _lock:
        for opened in _opened:
            opened.looked_at = -SNAPSHOT_SECONDS


def forget() -> None:
    """Open the lake anew next time."""
    with _lock:
        _opened.clear()


def _ask(query: Callable[[_Opened], T]) -> T:
    try:
        answer = _attempt(query)
    except LakeUnavailableError as error:
        if not _silence.is_set():
            log.warning(logs.line("lake_silent", reason=error))
        _silence.set()
        raise
    if _silence.is_set():
        log.info(logs.line("lake_answers"))
    _silence.clear()
    return answer


def _attempt(query: Callable[[_Opened], T]) -> T:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        opened = _open()
        try:
            return query(opened)
        except duckdb.Error as error:
            _forget(opened)
            if attempt == ATTEMPTS_MAX:
                raise LakeUnavailableError(f"the lake cannot be read: {error}") from error
    raise AssertionError("every attempt returns or raises")


def _forget(opened: _Opened) -> None:
    """Only if it is still the one in use."""
    with _lock:
        if opened in _opened:
            _opened.clear()


def _open() -> _Opened:
    with _lock:
        if not _opened:
            settings = msgspec.structs.replace(
                read_environment(LakeSettings),
                lake_catalog_url=read_environment(DashboardSettings).lake_reader_url,
            )
            _opened.append(_Opened(connect(settings, read_only=True)))
        return _opened[0]
