"""The ingest loop: one window of poll, apply, tend and heal; knows nothing of Dagster.

The next batch is fetched while SQL works on this one. The lake says where reading goes on, so a
window that dies at any point is repeated by the next one without loss or double.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import duckdb
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from contracts import logs
from pipelines import metrics
from pipelines.ingest.ahead import Ahead, Source, fetching_ahead
from pipelines.ingest.healing import (
    STALL_SECONDS,
    StallWatch,
    is_lost,
    read_discards,
    read_missing,
    read_published_position,
)
from pipelines.ingest.tending import Tending
from warehouse.crash import crash_point
from warehouse.ingest import BatchResult, apply_batch, apply_missing
from warehouse.lake import RivalError
from warehouse.quarantine import apply_discards
from warehouse.state import IngestState, Partition, read_state
from warehouse.upkeep import UpkeepReport

WINDOW_SECONDS = 24.0
LINGER_SECONDS = 0.3
# After losing to a rival: wait until it has been quiet for so long.
RIVAL_QUIET_SECONDS = 2.0
NAP_SECONDS = 0.1
PUBLISHED_CHECK_SECONDS = 1.0
# The last part of a window, in which no upkeep is begun.
ENDING_SHARE = 0.1
# A window waits this long for another one in the same process.
LOCK_SECONDS_MAX = 60.0

logger = logging.getLogger("ates.ingest")
_window_lock = threading.Lock()
_tending = Tending()  # of whoever has the lock


class BusyError(RuntimeError):
    """Another thread of this process is in a window and does not end it."""


@dataclass
class WindowReport:
    """What one window did; positions are those at its end."""

    count_batches: int = 0
    count_events: int = 0
    count_duplicates: int = 0
    count_quarantined: int = 0
    count_judged: int = 0
    count_healed: int = 0
    count_rivals: int = 0
    upkeep: list[UpkeepReport] = field(default_factory=list)
    counts_by_type: Counter[str] = field(default_factory=Counter)
    lag_seconds_max: float = 0.0
    rewound: set[Partition] = field(default_factory=set)
    first_position: int = 0
    contiguous_position: int = 0
    last_position: int = 0
    published_position: int | None = None
    offsets: dict[Partition, int] = field(default_factory=dict)

    def add(self, result: BatchResult) -> None:
        """Count one committed batch."""
        self.count_batches += 1
        self.count_events += result.count_events
        self.count_duplicates += result.count_duplicates
        self.count_quarantined += result.count_quarantined
        self.count_judged += result.count_judged
        self.counts_by_type.update(result.counts_by_type)
        self.lag_seconds_max = max(self.lag_seconds_max, result.lag_seconds)
        metrics.count_batch(result)

    def begin_at(self, state: IngestState) -> None:
        """Note where the window found the lake."""
        self.first_position = state.contiguous_position + 1

    def end_at(self, state: IngestState) -> None:
        """Note where the window leaves the lake."""
        self.contiguous_position = state.contiguous_position
        self.last_position = state.last_position
        self.offsets = state.next_offsets


def run_window(
    source: Source,
    lake: duckdb.DuckDBPyConnection,
    tracker_engine: Engine,
    *,
    window_seconds: float = WINDOW_SECONDS,
    linger_seconds: float = LINGER_SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    stall_seconds: float = STALL_SECONDS,
) -> WindowReport:
    """Ingest for `window_seconds`, or until `should_stop`; what is committed stays whatever comes.

    One window at a time in a process (BusyError after LOCK_SECONDS_MAX). With a rival in another
    process it steps back until that one has been quiet for a while. Errors of the lake and of the
    transport come through: open both anew and call again.
    """
    if not _window_lock.acquire(timeout=LOCK_SECONDS_MAX):
        raise BusyError(f"another window has not ended within {LOCK_SECONDS_MAX:.0f} seconds")
    try:
        deadline = time.monotonic() + window_seconds
        with fetching_ahead(source, linger_seconds) as ahead:
            window = _Window(
                ahead=ahead,
                lake=lake,
                tracker=tracker_engine,
                is_over=lambda: should_stop() or time.monotonic() >= deadline,
                is_ending=lambda: time.monotonic() >= deadline - ENDING_SHARE * window_seconds,
                watch=StallWatch(stall_seconds),
            )
            report = window.run()
    except Exception:
        metrics.INGEST_FAILURES.inc()
        raise
    finally:
        _window_lock.release()
    if report.count_batches:
        logger.info(_line(report))
    return report


def _line(report: WindowReport) -> str:
    return logs.line(
        "ingested",
        first_position=report.first_position,
        last_position=report.contiguous_position,
        events=report.count_events,
        batches=report.count_batches,
        duplicates=report.count_duplicates,
        quarantined=report.count_quarantined,
        healed=report.count_healed,
        lag_seconds=report.lag_seconds_max,
    )


@dataclass
class _Window:
    ahead: Ahead
    lake: duckdb.DuckDBPyConnection
    tracker: Engine
    is_over: Callable[[], bool]
    is_ending: Callable[[], bool]
    watch: StallWatch
    report: WindowReport = field(default_factory=WindowReport)
    next_check: float = 0.0

    def run(self) -> WindowReport:
        state = read_state(self.lake)
        self.report.begin_at(state)
        self.ahead.seek(state)
        # What is already on its way when time is up is taken in: else it would wait for the next
        # window, and so would this one's end for it.
        while self.ahead.has_next:
            try:
                state = self._turn(state)
            except RivalError as error:
                state = self._step_back(error)
            metrics.note_turn(state.contiguous_position, self.report.published_position)
        self.report.end_at(state)
        return self.report

    def _turn(self, state: IngestState) -> IngestState:
        """One batch, and what has become due besides."""
        records, rewound = self.ahead.take(goes_on=not self.is_over())
        self.report.rewound.update(rewound)
        crash_point("after-poll")
        if records is not None:
            with metrics.INGEST_BATCH_SECONDS.time():
                result = apply_batch(self.lake, records, state=state)
            crash_point("after-commit")
            self.report.add(result)
            state = result.state
            _tending.note(state.epoch)
            if not self.is_ending():
                self.report.upkeep += _tending.work(self.lake)
        if time.monotonic() >= self.next_check:
            self.next_check = time.monotonic() + PUBLISHED_CHECK_SECONDS
            state = self._heal(state)
        return state

    def _heal(self, state: IngestState) -> IngestState:
        """Read what the broker has lost from the log itself."""
        try:
            published = read_published_position(self.tracker)
            self.report.published_position = published
            if not self.watch.is_stalled(state.contiguous_position, published):
                return state
            if not is_lost(state, self.ahead.end_offsets()):
                return state
            rows = read_missing(self.tracker, state.contiguous_position, published)
        except OperationalError as error:
            logger.warning("the tracker's database does not answer: %s", error.orig)
            return state
        if not rows or rows[0].position != state.contiguous_position + 1:
            logger.error("position %s is not in the event log", state.contiguous_position + 1)
            return state
        result = apply_missing(self.lake, rows, state=state)
        if result.count_quarantined:  # a lake built anew meets decisions that were made before
            apply_discards(self.lake, read_discards(self.tracker))
        self.report.add(result)
        self.report.count_healed += result.count_events
        metrics.INGEST_HEALED.inc(result.count_events)
        logger.warning("took %s events from the log, lost on their way", result.count_events)
        return result.state

    def _step_back(self, error: RivalError) -> IngestState:
        """Let the rival work; go on where it left the lake when it has been quiet."""
        self.report.count_rivals += 1
        metrics.INGEST_RIVALS.inc()
        logger.warning("stepping back: %s", error)
        while True:
            state = read_state(self.lake)
            quiet_at = time.monotonic() + RIVAL_QUIET_SECONDS
            while time.monotonic() < quiet_at and not self.is_over():
                time.sleep(NAP_SECONDS)
            if self.is_over():
                self.ahead.forget()
                return state
            if read_state(self.lake).epoch == state.epoch:
                self.ahead.seek(state)
                return state
