"""The figures of a page, shared by all who may see them until the lake has a newer snapshot.

A page's read function gets the reader that stands in the cache's key and no other, so nobody can
be handed figures that were read on somebody else's behalf.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

import duckdb
import streamlit as st

from contracts.environment import read_environment
from dashboards import lake
from dashboards.access import Viewer
from dashboards.settings import DashboardSettings
from warehouse.reading import Reader, read_snapshot_id

# How long a newer snapshot may go unnoticed: less than a page's refresh period.
SNAPSHOT_CACHE_SECONDS = 2
# A snapshot's figures that nobody asks for any more are let go.
FIGURES_CACHE_SECONDS = 60
FIGURES_CACHE_ENTRIES_MAX = 500
T = TypeVar("T")


def today_on_the_clock() -> dt.date:
    """The local date in the business zone."""
    return dt.datetime.now(read_environment(DashboardSettings).zone).date()


def read_figures(query: Callable[..., T], viewer: Viewer, **arguments: Any) -> T:
    """What `query(connection, reader=..., **arguments)` answers for everybody of a role.

    The query must be a function of a module, its arguments plain values, and its answer immutable.
    Raises ReadRefusedError, and LakeUnavailableError without a lake.
    """
    return _read(query, Reader(role=viewer.role), arguments)


def read_own_figures(query: Callable[..., T], viewer: Viewer, **arguments: Any) -> T:
    """The same for figures that are one employee's alone."""
    return _read(query, viewer.reader, arguments)


def forget_figures() -> None:
    """Read everything anew next time."""
    _snapshot_id.clear()
    _figures.clear()


def _read(query: Callable[..., T], reader: Reader, arguments: dict[str, Any]) -> T:
    name = f"{query.__module__}.{query.__qualname__}"
    answer: T = _figures(name, _snapshot_id(), reader, sorted(arguments.items()), query)
    return answer


@st.cache_resource(ttl=SNAPSHOT_CACHE_SECONDS, show_spinner=False)
def _snapshot_id() -> int:
    return lake.read(read_snapshot_id)


# Frozen structs need no copy for each who looks, hence a "resource".
@st.cache_resource(
    ttl=FIGURES_CACHE_SECONDS,
    max_entries=FIGURES_CACHE_ENTRIES_MAX,
    show_spinner=False,
    hash_funcs={Reader: lambda reader: (reader.role, str(reader.employee_id))},
)
def _figures(
    name: str,  # noqa: ARG001 - part of the key
    snapshot_id: int,  # noqa: ARG001 - part of the key
    reader: Reader,
    arguments: list[tuple[str, Any]],
    _query: Callable[..., Any],
) -> Any:
    def ask(connection: duckdb.DuckDBPyConnection) -> Any:
        return _query(connection, reader=reader, **dict(arguments))

    return lake.read(ask)
