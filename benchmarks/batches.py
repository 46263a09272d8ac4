"""Whether the thousandth small batch costs what the twentieth did: commits, files and upkeep."""

import datetime as dt
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.ingest import records
from benchmarks.ratio import Ratio
from benchmarks.servers import servers
from warehouse.ingest import LogRow, apply_missing
from warehouse.lake import connect, create_tables
from warehouse.settings import LakeSettings
from warehouse.upkeep import is_due, tend

BATCHES = 1_000
BATCH_EVENTS = 100
EARLY = slice(10, 30)
LATE = slice(-20, None)
GROWTH_MAX = 1.3


def run() -> list[Ratio]:
    """Cost of a batch late / early, in CPU time of this process: steady on a busy machine."""
    with TemporaryDirectory(prefix="ates-bench-lake-") as folder:
        costs = _apply_batches(Path(folder))
    growth = statistics.median(costs[LATE]) / statistics.median(costs[EARLY])
    return [
        Ratio(
            name=f"cost of batch {BATCHES:,} / batch 20, {GROWTH_MAX} allowed",
            ours=growth,
            baseline=GROWTH_MAX,
            ratio=GROWTH_MAX / growth,
            goal=1.0,
            unit="times",
        )
    ]


def _apply_batches(folder: Path) -> list[float]:
    settings = LakeSettings(
        lake_catalog_url=servers().new_database(), lake_data_path=str(folder / "lake")
    )
    rows = (LogRow(int(position), "tasks", body) for _, position, _, body, _ in records())
    costs = []
    with connect(settings) as lake:
        create_tables(lake)
        state = None
        for _ in range(BATCHES):
            batch = [next(rows) for _ in range(BATCH_EVENTS)]
            begun = time.process_time()
            state = apply_missing(lake, batch, state=state).state
            costs.append(time.process_time() - begun)
            if is_due(state.epoch):
                tend(lake, state.epoch, kept=dt.timedelta(0))
    return costs
