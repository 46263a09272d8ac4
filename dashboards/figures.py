"""The figures of a page: read from the lake in one go, shared by all viewers for some seconds.

Whoever asks must be allowed to know; that is checked here, not by menus.
"""

import datetime as dt

import duckdb
import streamlit as st

from contracts.environment import read_environment
from dashboards.access import Viewer
from dashboards.settings import DashboardSettings
from warehouse.company import Company, read_company
from warehouse.lake import LakeUnavailableError, connect
from warehouse.settings import LakeSettings

# A little less than a page's refresh period, so that one reading serves all viewers of a period.
FIGURES_CACHE_SECONDS = 4
FIGURES_CACHE_ENTRIES_MAX = 200
ATTEMPTS_MAX = 2  # the second one opens the lake anew: a server may have been restarted


def company_figures(viewer: Viewer, count_days: int, payouts_date: dt.date | None) -> Company:
    """The company page's figures for the last `count_days` days.

    Raises PermissionError for a viewer without the right, LakeUnavailableError without a lake.
    """
    if not viewer.may_see_company:
        raise PermissionError(f"the company's figures are not for the role {viewer.role}")
    local_date = dt.datetime.now(read_environment(DashboardSettings).zone).date()
    return _read(local_date, count_days, payouts_date)


@st.cache_data(ttl=FIGURES_CACHE_SECONDS, max_entries=FIGURES_CACHE_ENTRIES_MAX, show_spinner=False)
def _read(local_date: dt.date, count_days: int, payouts_date: dt.date | None) -> Company:
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            with _lake().cursor() as cursor:
                return read_company(
                    cursor, local_date=local_date, count_days=count_days, payouts_date=payouts_date
                )
        except duckdb.Error as error:
            _lake.clear()
            if attempt == ATTEMPTS_MAX:
                raise LakeUnavailableError(f"the lake cannot be read: {error}") from error
    raise AssertionError("every attempt returns or raises")


@st.cache_resource(show_spinner=False)
def _lake() -> duckdb.DuckDBPyConnection:
    return connect(read_environment(LakeSettings), read_only=True)
