"""How long a lake of a million events takes to be built anew and compared with the first."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.ingest import records
from benchmarks.ratio import Ratio
from benchmarks.servers import servers
from warehouse.ingest import LogRow, apply_missing
from warehouse.lake import connect, create_tables
from warehouse.rebuild import EventLog, rebuild
from warehouse.settings import LakeSettings

EVENTS = 1_000_000
PAGE_EVENTS = 20_000
SECONDS_MAX = 300.0


def run() -> list[Ratio]:
    """Seconds for `EVENTS` events and what is compared of them."""
    with TemporaryDirectory(prefix="ates-bench-rebuild-") as name:
        folder = Path(name)
        settings = LakeSettings(
            lake_catalog_url=servers().new_database(), lake_data_path=str(folder / "lake")
        )
        log = [LogRow(int(position), "tasks", body) for _, position, _, body, _ in records(EVENTS)]
        with connect(settings) as lake:
            create_tables(lake)
            state = None
            for start in range(0, len(log), PAGE_EVENTS):
                state = apply_missing(lake, log[start : start + PAGE_EVENTS], state=state).state
        (folder / "second").mkdir()
        begun = time.perf_counter()
        result = rebuild(
            settings,
            EventLog(lambda after, through: log[after : min(through, after + PAGE_EVENTS)]),
            folder / "second",
        )
        seconds = time.perf_counter() - begun
    assert result.is_identical, "the rebuilt lake must say the same"
    return [
        Ratio(
            name=f"rebuild and comparison of {len(log):,} events",
            ours=seconds,
            baseline=SECONDS_MAX,
            ratio=SECONDS_MAX / seconds,
            goal=1.0,
            unit="seconds",
        )
    ]
