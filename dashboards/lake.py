"""The dashboards' one door to the lake, read only; opened when first needed and after a failure."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import duckdb
import msgspec

from contracts.environment import read_environment
from dashboards.settings import DashboardSettings
from warehouse.lake import LakeUnavailableError, connect
from warehouse.settings import LakeSettings

ATTEMPTS_MAX = 2  # the second one opens the lake anew: a server may have been restarted
T = TypeVar("T")
log = logging.getLogger(__name__)

_lock = threading.Lock()
_opened: list[duckdb.DuckDBPyConnection] = []  # at most one


def read(query: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
    """What a query answers; it gets a connection of its own. Raises LakeUnavailableError."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        connection = _connection()
        try:
            with connection.cursor() as cursor:
                return query(cursor)
        except duckdb.Error as error:
            forget(connection)
            if attempt == ATTEMPTS_MAX:
                log.warning("the lake cannot be read: %s", error)
                raise LakeUnavailableError(f"the lake cannot be read: {error}") from error
    raise AssertionError("every attempt returns or raises")


def forget(connection: duckdb.DuckDBPyConnection | None = None) -> None:
    """Open the lake anew next time; given a connection, only if it is still the one in use."""
    with _lock:
        if connection is None or connection in _opened:
            _opened.clear()


def _connection() -> duckdb.DuckDBPyConnection:
    with _lock:
        if not _opened:
            settings = msgspec.structs.replace(
                read_environment(LakeSettings),
                lake_catalog_url=read_environment(DashboardSettings).lake_reader_url,
            )
            _opened.append(connect(settings, read_only=True))
        return _opened[0]
