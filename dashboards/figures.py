"""The figures of a page, shared by all who may see them until the lake has newer ones.

A page's read function gets the reader that stands in the cache's key and no other, so nobody can
be handed figures that were read on somebody else's behalf.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import duckdb
import streamlit as st

from contracts.environment import read_environment
from dashboards import lake
from dashboards.access import Viewer
from dashboards.settings import DashboardSettings
from warehouse.account import read_account
from warehouse.account_entries import read_account_version, read_entries, read_explanation
from warehouse.company_day import read_company_day, read_day_version
from warehouse.deliveries import (
    Backlog,
    TrackerDatabase,
    TrackerDatabaseSilentError,
    read_backlog,
)
from warehouse.reading import LakeState, Reader, read_lake_state

TRACKER_CACHE_SECONDS = 2
# A snapshot's figures that nobody asks for any more are let go: the company's, with thousands of
# balances, take a megabyte, and there are new ones each second.
FIGURES_CACHE_SECONDS = 20
FIGURES_CACHE_ENTRIES_MAX = 1_000
# What most snapshots do not touch is read again when a number that stands for it has moved, not
# with each snapshot: one's own account, and what was read of the ledger, which is only added to.
VERSIONS: Mapping[Callable[..., Any], tuple[Callable[..., Any], Sequence[str]]] = {
    read_account: (read_account_version, ["employee_id"]),
    read_entries: (read_account_version, ["employee_id"]),
    read_explanation: (read_account_version, ["employee_id"]),
    read_company_day: (read_day_version, ["business_date"]),
}
T = TypeVar("T")


def today_on_the_clock(now: dt.datetime | None = None) -> dt.date:
    """The local date in the business zone, now or at an aware moment."""
    return (now or dt.datetime.now(dt.UTC)).astimezone(_zone()).date()


def read_figures(query: Callable[..., T], viewer: Viewer, **arguments: Any) -> T:
    """What `query(connection, reader=..., **arguments)` answers for everybody of a role.

    The query must be a function of a module, its arguments plain values, and its answer immutable.
    Raises ReadRefusedError, and LakeUnavailableError without a lake.
    """
    return _read(query, Reader(role=viewer.role), arguments)


def read_own_figures(query: Callable[..., T], viewer: Viewer, **arguments: Any) -> T:
    """The same for figures that are one employee's alone."""
    return _read(query, viewer.reader, arguments)


def read_state() -> LakeState:
    """How far the lake is, which anybody may know. Raises LakeUnavailableError."""
    state: LakeState = _answer(_lake_state, lake.follow(), Reader(role="worker"), {})
    return state


def read_from_tracker(query: Callable[..., T], viewer: Viewer, **arguments: Any) -> T:
    """What `query(connection, reader=..., **arguments)` answers from the tracker's PostgreSQL.

    It changes without a snapshot of the lake, so it is kept for some seconds only.
    Raises ReadRefusedError and TrackerDatabaseSilentError.
    """
    answer: T = _tracker_figures(
        key=key_of(query, viewer.reader, sorted(arguments.items())),
        _query=query, _reader=viewer.reader, _arguments=arguments,
    )  # fmt: skip
    return answer


def ask_tracker(query: Callable[[Any], T]) -> T | None:
    """What a query answers from the tracker's PostgreSQL now, or None while that is silent."""
    try:
        return _tracker().read(query)
    except TrackerDatabaseSilentError:
        return None


def read_waiting(state: LakeState) -> Backlog:
    """Events of the tracker that a lake in this state has not.

    Raises TrackerDatabaseSilentError.
    """
    waiting: Backlog = _waiting(arrived=state.contiguous_position)
    return waiting


def forget_figures() -> None:
    """Read everything anew next time."""
    lake.look_again()
    _figures.clear()
    _tracker_figures.clear()
    _waiting.clear()


def _lake_state(connection: duckdb.DuckDBPyConnection, *, reader: Reader) -> LakeState:  # noqa: ARG001 - as all reads
    return read_lake_state(connection)


def _read(query: Callable[..., T], reader: Reader, arguments: dict[str, Any]) -> T:
    version = lake.follow()
    if query in VERSIONS:
        read_version, names = VERSIONS[query]
        known = {name: arguments[name] for name in names}
        version = _answer(read_version, version, reader, known)
    answer: T = _answer(query, version, reader, arguments)
    return answer


def _answer(
    query: Callable[..., Any], version: object, reader: Reader, arguments: dict[str, Any]
) -> Any:
    return _figures(
        key=key_of(query, version, reader, sorted(arguments.items())),
        _query=query, _reader=reader, _arguments=arguments,
    )  # fmt: skip


def key_of(function: Callable[..., Any], *parts: object) -> str:
    """What answers are remembered by, as one text: Streamlit takes each part of a key to pieces.

    A reader's words are their role and who they are, so nobody is given another's figures.
    """
    return f"{function.__module__}.{function.__qualname__}{parts!r}"


# Frozen structs need no copy for each who looks, hence a "resource". Arguments are given by name:
# Streamlit looks up the signature of the function for each position.
@st.cache_resource(
    ttl=FIGURES_CACHE_SECONDS, max_entries=FIGURES_CACHE_ENTRIES_MAX, show_spinner=False
)
def _figures(
    key: str,  # noqa: ARG001 - what the figures are remembered by
    _query: Callable[..., Any],
    _reader: Reader,
    _arguments: dict[str, Any],
) -> Any:
    def ask(connection: duckdb.DuckDBPyConnection) -> Any:
        return _query(connection, reader=_reader, **_arguments)

    return lake.read(ask)


@st.cache_resource(
    ttl=TRACKER_CACHE_SECONDS, max_entries=FIGURES_CACHE_ENTRIES_MAX, show_spinner=False
)
def _tracker_figures(
    key: str,  # noqa: ARG001 - what the figures are remembered by
    _query: Callable[..., Any],
    _reader: Reader,
    _arguments: dict[str, Any],
) -> Any:
    return _tracker().read(lambda connection: _query(connection, reader=_reader, **_arguments))


@st.cache_resource(ttl=TRACKER_CACHE_SECONDS, max_entries=10, show_spinner=False)
def _waiting(arrived: int) -> Backlog:
    return _tracker().read(lambda connection: read_backlog(connection, arrived=arrived))


def _zone() -> ZoneInfo:
    return read_environment(DashboardSettings).zone


def _tracker() -> TrackerDatabase:
    return _tracker_at(read_environment(DashboardSettings).database_reader_url)


@cache
def _tracker_at(database_url: str) -> TrackerDatabase:
    return TrackerDatabase(database_url)
