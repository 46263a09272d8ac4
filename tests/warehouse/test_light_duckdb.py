"""What DuckDB loads besides itself."""

import subprocess
import sys

PROGRAM = """
import datetime as dt, sys
import duckdb
from warehouse.light_duckdb import spare_pandas

spare_pandas()
values = [1, 1.5, "text", True, None, dt.date(2026, 11, 1), ["a", "b"]]
marks = ", ".join("?" * len(values))
print(list(duckdb.connect().execute(f"select {marks}", values).fetchone()) == values)
print("pandas" in sys.modules)
print(len(duckdb.sql("select 1 as one").df()))
"""


def test_bound_values_need_no_pandas_and_whoever_wants_a_frame_gets_one() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.split() == ["True", "False", "1"], ended.stderr
