"""What a page's figures cost at ten million ledger rows: kept aggregates beside scans of all rows.

Each page's side is all of its reads, uncached; the other side answers the same by scanning postings
and events. Both in one run, in turns.
"""

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from benchmarks.history import DAYS, fill
from benchmarks.ratio import Ratio
from benchmarks.servers import servers
from warehouse.analytics import read_dearest, read_flow, read_today
from warehouse.company import read_company
from warehouse.lake import connect
from warehouse.operations import read_lake_health
from warehouse.reading import OPERATOR
from warehouse.settings import LakeSettings

LEDGER_ROWS = 10_000_000
MILLISECONDS_MAX = 50.0
FASTER_MIN = 15.0
TURNS = 15
SCAN_TURNS = 3
SCANS = (Path(__file__).parent / "dashboards_scans.sql").read_text("utf-8").split(";\n")


def run() -> list[Ratio]:
    """Two lines a page: milliseconds of its reads, and how much quicker than scanning they are."""
    today = dt.datetime.now(dt.UTC).date()
    with _lake(today) as lake:
        return measure(lake, today)


def measure(lake: duckdb.DuckDBPyConnection, today: dt.date) -> list[Ratio]:
    """The same on a lake that is there already, whose last day is `today`."""
    scan_milliseconds = _median(lambda: _scan(lake, today), SCAN_TURNS)
    ratios = []
    for name, read in _pages(lake, today).items():
        milliseconds = _median(read, TURNS)
        ratios.append(
            Ratio(
                name=f"page {name}: its reads, {MILLISECONDS_MAX:g} ms allowed",
                ours=milliseconds, baseline=MILLISECONDS_MAX,
                ratio=MILLISECONDS_MAX / milliseconds, goal=1.0, unit="ms",
            )
        )  # fmt: skip
        if name == "analytics":
            ratios.append(
                Ratio(
                    name="page analytics: its reads / the same by scanning the ledger",
                    ours=1000 / milliseconds, baseline=1000 / scan_milliseconds,
                    ratio=scan_milliseconds / milliseconds, goal=FASTER_MIN, unit="pages/s",
                )
            )  # fmt: skip
    return ratios


def _pages(lake: duckdb.DuckDBPyConnection, today: dt.date) -> dict[str, Callable[[], object]]:
    now = dt.datetime.now(dt.UTC)

    def analytics() -> None:
        read_today(lake, reader=OPERATOR, local_date=today)
        read_dearest(lake, reader=OPERATOR, today=today, period="month")
        read_flow(lake, reader=OPERATOR, today=today, count_days=DAYS, now=now)

    return {
        "company": lambda: read_company(lake, reader=OPERATOR, local_date=today, count_days=DAYS),
        "analytics": analytics,
        "operations": lambda: read_lake_health(lake, reader=OPERATOR),
    }


def _scan(lake: duckdb.DuckDBPyConnection, today: dt.date) -> None:
    for query in SCANS:
        lake.execute(query, {"today": today} if "$today" in query else None).fetchall()


def _median(measured: Callable[[], object], turns: int) -> float:
    """Milliseconds of one call; an unmeasured one comes first."""
    costs = []
    for turn in range(turns + 1):
        begun = time.perf_counter()
        measured()
        if turn:
            costs.append((time.perf_counter() - begun) * 1000)
    return statistics.median(costs)


@contextmanager
def _lake(today: dt.date) -> Iterator[duckdb.DuckDBPyConnection]:
    """A year of business that ends today, read as the dashboards read it."""
    with TemporaryDirectory(prefix="ates-bench-lake-") as folder:
        settings = LakeSettings(
            lake_catalog_url=servers().new_database(), lake_data_path=str(Path(folder) / "lake")
        )
        with connect(settings) as writer:
            first_date = today - dt.timedelta(days=DAYS - 1)
            fill(writer, ledger_rows=LEDGER_ROWS, first_date=first_date)
        with connect(settings, read_only=True) as reader:
            yield reader
