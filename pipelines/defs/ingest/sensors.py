"""The ingest window: one tick takes in events for 22 seconds, then reports what it did, once.

The loop itself is `pipelines.ingest.engine`. Switched off, ingest pauses; on again, it catches up.
"""

import json
from contextlib import AbstractContextManager
from time import monotonic, time
from typing import TYPE_CHECKING

import dagster as dg

from contracts.environment import read_environment
from pipelines.dagster_instance import is_stop_requested
from pipelines.defs.ingest.reports import events_of_window
from pipelines.settings import IngestSettings, KafkaSettings
from pipelines.shared import Shared
from warehouse.settings import LakeSettings

if TYPE_CHECKING:
    from pipelines.ingest.engine import WindowReport
    from pipelines.ingest.service import Parts

# Ticks begin at multiples of five seconds. Opening, the window, its last two batches (0.4 s each)
# and report (0.2 s, on a busy machine over 1 s) must be over before the fifth, or five are lost.
WINDOW_SECONDS = 22.5
INTERVAL_SECONDS = 1
# On a quiet night the raw events still say "looked at", so that they do not count as stale.
HEARTBEAT_SECONDS = 45.0


def _open() -> AbstractContextManager["Parts"]:
    # Imported here because a payout run loads this module, too, and needs no Kafka client.
    from pipelines.ingest.service import open_parts

    return open_parts(
        read_environment(KafkaSettings),
        read_environment(LakeSettings),
        read_environment(IngestSettings).database_url,
    )


PARTS = Shared(_open)


@dg.sensor(
    name="ingest_window",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes events from Kafka into the lake; off, ingest pauses.",
)
def ingest_window(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One window; its cursor is the offsets, for people to read, and when a row was last shown."""
    from pipelines.ingest.engine import run_window

    ends_at = monotonic() + WINDOW_SECONDS
    with PARTS.use() as parts:
        left_seconds = ends_at - monotonic()
        report = run_window(*parts, window_seconds=left_seconds, should_stop=is_stop_requested)
        is_quiet = not report.count_batches
        if is_quiet and time() - _shown_at(context.cursor) < HEARTBEAT_SECONDS:
            return dg.SkipReason(f"no event arrived; position {report.contiguous_position}")
        _, lake, tracker = parts
        events = events_of_window(report, lake, tracker)
    return dg.SensorResult(asset_events=events, cursor=_cursor(report, time()))


def _cursor(report: "WindowReport", now_seconds: float) -> str:
    offsets = {f"{topic}/{number}": offset for (topic, number), offset in report.offsets.items()}
    return json.dumps({"offsets": offsets, "shown_at": round(now_seconds, 1)})


def _shown_at(cursor: str | None) -> float:
    return float(json.loads(cursor)["shown_at"]) if cursor else 0.0
