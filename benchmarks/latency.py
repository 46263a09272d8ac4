"""From the answer to an HTTP completion to its postings in the committed ledger.

A whole installation as `ates up` starts it: tracker, relay, broker and the ingest window inside
Dagster. One employee completes tasks at a steady pace while somebody looks at the lake.
"""

import concurrent.futures
import contextlib
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

import sqlalchemy as sa

from ates import reach
from benchmarks.installation import installation
from benchmarks.ratio import Ratio
from benchmarks.reassign import add_workers
from contracts.environment import read_environment
from ops_api.auth.sessions import start_session
from ops_api.clock import system_clock
from ops_api.web.guard import COOKIE
from warehouse.lake import connect
from warehouse.settings import LakeSettings

RATES_PER_SECOND = (5, 200)
SECONDS = 30
WARM_UP_COMPLETIONS = 20
CLIENTS = 8
LOOK_SECONDS = 0.02
WAIT_SECONDS = 0.2
ANSWER_SECONDS_MAX = 30
ARRIVAL_SECONDS_MAX = 60.0
P50_SECONDS_ALLOWED = 1.0
P99_SECONDS_ALLOWED = 3.0

FILL = sa.text("""
with created as (
    insert into tasks (
        task_id, title, status, assignee_id, fee_cents, reward_cents, assignment_number, version,
        created_by, created_at
    )
    select uuidv7(), 'Sweep the roof, number ' || n, 'open', :worker, 1500, 3000, 1, 2, :worker,
        now()
    from generate_series(1, :count) as n
    returning task_id
)
select task_id from created
""")
POSITIONS = sa.text("""
select subject, position from event_log where type = 'task.completed'
""")
LAST_SNAPSHOT = sa.text("select max(snapshot_id) from ducklake_snapshot")
POSITION_AT = "select contiguous_position from ops.ingest_state at (version => {snapshot_id})"


def run() -> list[Ratio]:
    """Median and 99th percentile at a quiet and at a busy pace, beside what is allowed."""
    with installation() as environment, reach.tracker_engine(environment) as engine:
        cookie, task_ids = _fill(engine)
        with _watched(environment) as seen:
            desk = _Desk(environment["TRACKER_URL"], cookie)
            desk.complete(task_ids[:WARM_UP_COMPLETIONS], RATES_PER_SECOND[0])
            rest = iter(task_ids[WARM_UP_COMPLETIONS:])
            found: list[Ratio] = []
            for rate in RATES_PER_SECOND:
                chosen = [next(rest) for _ in range(rate * SECONDS)]
                answered_at = desk.complete(chosen, rate)
                found += _ratios(rate, seen.waits(engine, answered_at))
    return found


def _fill(engine: sa.Engine) -> tuple[str, list[uuid.UUID]]:
    """One worker's session and open tasks of theirs.

    Their creation was never an event: what is measured is how soon completions arrive.
    """
    count = WARM_UP_COMPLETIONS + sum(RATES_PER_SECOND) * SECONDS
    with engine.begin() as connection:
        worker_id = add_workers(connection)
        rows = connection.execute(FILL, {"worker": worker_id, "count": count})
        task_ids = list(rows.scalars())
        return start_session(connection, employee_id=worker_id, now=system_clock()), task_ids


class _Desk:
    """Completes tasks over HTTP, each at its moment."""

    def __init__(self, url: str, cookie: str) -> None:
        self._address = urlsplit(url).netloc
        self._cookie = cookie
        self._local = threading.local()

    def complete(self, task_ids: list[uuid.UUID], rate_per_second: int) -> dict[str, float]:
        """When each completion was answered, by task."""
        begun = time.time()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            due = [begun + number / rate_per_second for number in range(len(task_ids))]
            return dict(pool.map(self._complete, task_ids, due))

    def _complete(self, task_id: uuid.UUID, due_at: float) -> tuple[str, float]:
        time.sleep(max(0.0, due_at - time.time()))
        if not hasattr(self._local, "connection"):
            # Not `requests`: at this pace it would take half a core from what is measured.
            self._local.connection = HTTPConnection(self._address, timeout=ANSWER_SECONDS_MAX)
        headers = {
            "Cookie": f"{COOKIE}={self._cookie}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        path = f"/api/v1/tasks/{task_id}/complete"
        self._local.connection.request("POST", path, b"{}", headers)
        answer = self._local.connection.getresponse()
        body = answer.read()
        assert answer.status == HTTPStatus.OK, body
        return str(task_id), time.time()


class _Seen:
    """When each state of the lake was first seen committed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self.snapshots: list[tuple[float, int]] = []

    def waits(self, engine: sa.Engine, answered_at: dict[str, float]) -> list[float]:
        """Seconds from each answer to the commit, never below zero."""
        with engine.begin() as connection:
            sequenced = self._when_sequenced(connection, list(answered_at))
        seen_at = self._when_complete_up_to(max(sequenced.values()))
        return [max(0.0, seen_at[sequenced[task_id]] - at) for task_id, at in answered_at.items()]

    def _when_sequenced(self, connection: sa.Connection, task_ids: list[str]) -> dict[str, int]:
        """Each completion's position."""
        deadline = time.monotonic() + ARRIVAL_SECONDS_MAX
        while True:
            positions = {each.subject: each.position for each in connection.execute(POSITIONS)}
            if positions.keys() >= set(task_ids):
                return {task_id: positions[task_id] for task_id in task_ids}
            assert time.monotonic() < deadline, "completions are not sequenced"
            time.sleep(WAIT_SECONDS)

    def _when_complete_up_to(self, last_position: int) -> dict[int, float]:
        """The moment each position was first seen in the lake."""
        deadline = time.monotonic() + ARRIVAL_SECONDS_MAX
        found = dict[int, float]()
        with connect(read_environment(LakeSettings, self._environment), read_only=True) as lake:
            number = 0
            while len(found) < last_position:
                assert time.monotonic() < deadline, "completions do not arrive"
                if number == len(self.snapshots):
                    time.sleep(WAIT_SECONDS)
                    continue
                at, snapshot_id = self.snapshots[number]
                position = lake.execute(POSITION_AT.format(snapshot_id=snapshot_id)).fetchall()
                found |= dict.fromkeys(range(len(found) + 1, position[0][0] + 1), at)
                number += 1
        return found


@contextlib.contextmanager
def _watched(environment: dict[str, str]) -> Iterator[_Seen]:
    seen, is_over = _Seen(environment), threading.Event()
    catalog = sa.create_engine(environment["LAKE_CATALOG_URL"], isolation_level="AUTOCOMMIT")

    def look() -> None:
        with catalog.connect() as connection:
            while not is_over.wait(LOOK_SECONDS):
                snapshot_id = connection.execute(LAST_SNAPSHOT).scalar_one()
                if not seen.snapshots or seen.snapshots[-1][1] != snapshot_id:
                    seen.snapshots.append((time.time(), snapshot_id))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()
        catalog.dispose()


def _ratios(rate: int, waits: list[float]) -> list[Ratio]:
    p50, p99 = statistics.median(waits), statistics.quantiles(waits, n=100)[98]
    return [
        Ratio(
            name=f"completion to ledger at {rate}/s, {name}",
            ours=measured,
            baseline=allowed,
            ratio=allowed / max(measured, LOOK_SECONDS),
            goal=1,
            unit="s",
        )
        for name, measured, allowed in (
            ("p50", p50, P50_SECONDS_ALLOWED),
            ("p99", p99, P99_SECONDS_ALLOWED),
        )
    ]
