"""DuckDB without pandas, which it imports to ask of every bound value whether it is its `NaT`.

That costs each process 0.4 s of processor time and 75 MB. Nobody here binds what pandas makes, so
DuckDB is shown a stand-in while it looks for the first time, and keeps that. Everything else it may
ever want of pandas comes from the real one.
"""

import importlib
import sys
import threading
from types import ModuleType
from typing import Any

import duckdb

PANDAS = "pandas"
_looking = threading.Lock()
_has_looked = False


class _StandIn(ModuleType):
    NaT = object()
    NA = object()

    def __getattr__(self, name: str) -> Any:
        """The real one's, once the stand-in is out of its place."""
        if name.startswith("__") or sys.modules.get(PANDAS) is self:
            raise AttributeError(name)
        return getattr(importlib.import_module(PANDAS), name)


def spare_pandas() -> None:
    """Before the first bound value; does nothing where pandas is loaded, or Streamlit will."""
    global _has_looked
    with _looking:
        if _has_looked or PANDAS in sys.modules or "streamlit" in sys.modules:
            return
        _has_looked = True
        sys.modules[PANDAS] = _StandIn(PANDAS)
        try:
            with duckdb.connect() as connection:
                connection.execute("select ?", [0])
        finally:
            del sys.modules[PANDAS]
