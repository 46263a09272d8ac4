"""What a page's figures cost at ten million ledger rows: as pages read them, and by scanning.

Each page's side is all of the reads it opens with, none of them remembered; the other side answers
the same by scanning postings and events. Both in one run, in turns. What a page waits for beside,
once after a commit and for all sessions together, has a line of its own.
"""

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import duckdb
import pyarrow as pa

from benchmarks.history import DAYS, fill
from benchmarks.ratio import Ratio
from benchmarks.servers import servers
from warehouse.account import read_account
from warehouse.account_entries import read_account_version, read_entries
from warehouse.analytics import read_dearest, read_flow, read_today
from warehouse.company import read_company
from warehouse.company_day import read_company_day, read_day_version
from warehouse.ingest import apply_batch
from warehouse.kept import KeptCopy
from warehouse.lake import connect
from warehouse.operations import read_lake_health
from warehouse.reading import OPERATOR, Reader, read_lake_state
from warehouse.settings import LakeSettings

LEDGER_ROWS = 10_000_000
MILLISECONDS_MAX = 50.0
FASTER_MIN = 15.0
TURNS = 15
SCAN_TURNS = 3
ENTRIES_SHOWN = 50
SCANS = (Path(__file__).parent / "dashboards_scans.sql").read_text("utf-8").split(";\n")
SCANS_OF = {"analytics": SCANS[:5], "company": SCANS[5:10], "account": SCANS[10:]}

BUSIEST = """
select account from ledger.account_days where account not in ('company', 'cash')
group by account order by sum(count_entries) desc limit 1
"""

Lake = duckdb.DuckDBPyConnection


def run() -> list[Ratio]:
    """Two lines a page: milliseconds of its reads, and how much quicker than scanning they are."""
    today = dt.datetime.now(dt.UTC).date()
    with TemporaryDirectory(prefix="ates-bench-lake-") as folder:
        settings = LakeSettings(
            lake_catalog_url=servers().new_database(), lake_data_path=str(Path(folder) / "lake")
        )
        with connect(settings) as writer:
            first_date = today - dt.timedelta(days=DAYS - 1)
            held_back = fill(
                writer, ledger_rows=LEDGER_ROWS, first_date=first_date, count_held_back=TURNS + 1
            )
            with connect(settings, read_only=True) as reader:
                return measure(writer, reader, held_back, today)


def measure(
    writer: Lake, reader: Lake, held_back: Iterator[pa.Table], today: dt.date
) -> list[Ratio]:
    """The same on a lake that is there already, with some small batches still to come.

    Its last day is `today`.
    """
    copy = KeptCopy(reader)
    copy.follow()
    following = _median(copy.follow, TURNS, before=lambda: apply_batch(writer, next(held_back)))
    ratios = [_allowed("after a commit: the copy in memory follows", following)]
    with copy.reading() as lake:
        account = _an_account(lake)
        for name, read in _pages(lake, account, today).items():
            milliseconds = _median(read, TURNS)
            ratios.append(_allowed(f"page {name}: its reads", milliseconds))
            if name in SCANS_OF:
                asked = {"today": today, "day": _last_paid_day(lake), "account": str(account)}
                scan = _median(_scan(reader, SCANS_OF[name], asked), SCAN_TURNS)
                ratios.append(
                    Ratio(
                        name=f"page {name}: its reads / the same by scanning",
                        ours=1000 / milliseconds, baseline=1000 / scan,
                        ratio=scan / milliseconds, goal=FASTER_MIN, unit="pages/s",
                    )
                )  # fmt: skip
    return ratios


def _pages(lake: Lake, account: UUID, today: dt.date) -> dict[str, Callable[[], object]]:
    """What each page reads when it is opened, its spans set to a year."""
    now, year_ago = dt.datetime.now(dt.UTC), today - dt.timedelta(days=DAYS - 1)
    me = Reader(role="worker", employee_id=account)

    def company() -> None:
        day = _last_paid_day(lake)
        read_company(lake, reader=OPERATOR, local_date=today, count_days=DAYS)
        read_day_version(lake, reader=OPERATOR, business_date=day)
        read_company_day(lake, reader=OPERATOR, business_date=day, count_max=ENTRIES_SHOWN)

    def own() -> None:
        read_lake_state(lake)
        read_account_version(lake, reader=me, employee_id=account)
        read_account(lake, reader=me, employee_id=account, local_date=today, count_days=DAYS)
        read_entries(
            lake, reader=me, employee_id=account, first=year_ago, last=today,
            count_max=ENTRIES_SHOWN,
        )  # fmt: skip

    def analytics() -> None:
        read_today(lake, reader=OPERATOR, local_date=today)
        read_dearest(lake, reader=OPERATOR, today=today, period="month")
        read_flow(lake, reader=OPERATOR, today=today, count_days=DAYS, now=now)

    return {
        "company": company,
        "account": own,
        "analytics": analytics,
        "operations": lambda: read_lake_health(lake, reader=OPERATOR),
    }


def _last_paid_day(lake: Lake) -> dt.date:
    day = read_lake_state(lake).paid_through
    assert day is not None, "all days but the last are paid"
    return day


def _an_account(lake: Lake) -> UUID:
    """The employee with the most entries."""
    row = lake.execute(BUSIEST).fetchone()
    assert row is not None, "somebody has worked"
    return UUID(row[0])


def _scan(lake: Lake, queries: list[str], values: dict[str, object]) -> Callable[[], object]:
    def scan() -> None:
        for query in queries:
            used = {name: value for name, value in values.items() if f"${name}" in query}
            lake.execute(query, used or None).fetchall()

    return scan


def _allowed(name: str, milliseconds: float) -> Ratio:
    return Ratio(
        name=f"{name}, {MILLISECONDS_MAX:g} ms allowed",
        ours=milliseconds, baseline=MILLISECONDS_MAX,
        ratio=MILLISECONDS_MAX / milliseconds, goal=1.0, unit="ms",
    )  # fmt: skip


def _median(
    measured: Callable[[], object], turns: int, *, before: Callable[[], object] = lambda: None
) -> float:
    """Milliseconds of one call; an unmeasured one comes first, and `before` before each."""
    costs = []
    for turn in range(turns + 1):
        before()
        begun = time.perf_counter()
        measured()
        if turn:
            costs.append((time.perf_counter() - begun) * 1000)
    return statistics.median(costs)
