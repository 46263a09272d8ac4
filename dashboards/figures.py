"""The figures of a page, read from the lake in one go and kept for a few seconds.

Everything comes from one snapshot, so the numbers of a page agree with each other. Whoever asks
must be allowed to know: that is checked here, not by menus.
"""

import datetime as dt
from typing import TypeVar

import duckdb
import msgspec
import streamlit as st

from dashboards.access import Viewer
from warehouse import reads
from warehouse.lake import connect
from warehouse.settings import LakeSettings

# A little less than the pages' refresh period, so that each refresh reads once for all viewers.
FIGURES_CACHE_SECONDS = 4
FIGURES_CACHE_ENTRIES_MAX = 200
ATTEMPTS_MAX = 2  # the second one opens the lake anew


class LakeUnavailableError(RuntimeError):
    """The lake cannot be read now; nothing stale is shown instead."""
