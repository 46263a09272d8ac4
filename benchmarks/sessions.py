"""A hundred open pages of the dashboards that refresh every five seconds while the ledger grows.

The dashboards and the tracker run as `ates serve` starts them. People sign in at the tracker over
HTTP, then speak Streamlit's own protocol over a web socket, without a browser's drawing. A batch of
events is committed every second, so that nobody is served from memory for long.
"""

import asyncio
import contextlib
import datetime as dt
import itertools
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import psutil
import pyarrow as pa
import requests
import sqlalchemy as sa
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.web.server.starlette.starlette_server_config import (
    XSRF_COOKIE_NAME,
)

from ates.embedded.postgres import READER
from ates.grants import grant_reads
from ates.settings import load
from ates.supervisor.ports import choose_free
from benchmarks.history import DAYS, fill
from benchmarks.ratio import Ratio
from benchmarks.servers import servers
from benchmarks.signing_in import sign_in, way_in_of
from contracts.environment import read_environment
from ops_api.auth.passwords import hash_password
from warehouse.ingest import apply_batch
from warehouse.lake import connect
from warehouse.settings import LakeSettings
from warehouse.upkeep import is_due, tend

LEDGER_ROWS = 300_000
SECONDS = 60
REFRESH_SECONDS = 5.0
COMMIT_SECONDS = 1.0
# How many people look at which page, and as what; each has a few of them open.
TABS_OF_ONE = 4
PAGES = (("account", "worker", 15), ("company", "accountant", 6), ("analytics", "admin", 3),
         ("operations", "admin", 1))  # fmt: skip
CORE_SHARE_ALLOWED = 0.6
P95_SECONDS_ALLOWED = 0.3
START_SECONDS_MAX = 60
RUN_SECONDS_MAX = 60
MESSAGE_BYTES_MAX = 8 * 1024 * 1024
PASSWORD = "a password of the benchmarks"

PEOPLE = sa.text("""
insert into employees (
    employee_id, name, email, role, is_active, password_hash, version, registered_at
)
values (cast(md5('person' || :number) as uuid), 'Employee ' || :number, :email, :role, true,
    :password_hash, 1, now())
""")


def run() -> list[Ratio]:
    """Share of one core that the dashboards take, and the 95th percentile of a refresh."""
    with tempfile.TemporaryDirectory(prefix="ates-bench-sessions-") as folder:
        environment = environment_of(Path(folder))
        with growing_lake(environment) as grow, served(environment) as dashboards:
            url = environment["DASHBOARDS_URL"]
            people, way_in = add_people(environment), way_in_of(url)
            cookies = [sign_in(way_in, email, PASSWORD) for _, email in people]
            tabs = [
                _Tab(url, page, one)
                for (page, _), one in zip(people, cookies, strict=True)
                for _ in range(TABS_OF_ONE)
            ]
            with grow():
                share, costs = asyncio.run(_watch(tabs, dashboards))
    p95 = statistics.quantiles(costs, n=100)[94]
    return [
        Ratio(
            name=name, ours=measured, baseline=allowed, ratio=allowed / measured, goal=1, unit=unit
        )
        for name, measured, allowed, unit in (
            (f"{len(tabs)} open pages: CPU of the dashboards", share, CORE_SHARE_ALLOWED, "cores"),
            (f"{len(tabs)} open pages: refresh, p95", p95, P95_SECONDS_ALLOWED, "s"),
        )
    ]


class _Tab:
    """One open page."""

    def __init__(self, url: str, page: str, cookies: dict[str, str]) -> None:
        self._url = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
        pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._headers = {"Cookie": pairs, "Origin": url}
        self._protocols = ["streamlit", cookies[XSRF_COOKIE_NAME].strip('"')]
        self._page = page
        self._fragment_id = ""
        self._page_script_hash = ""
        self.costs: list[float] = []

    async def stay(self, begin_at: float, is_over: asyncio.Event) -> None:
        """Open the page at a moment, then refresh it until it is over; notes what each took."""
        await asyncio.sleep(max(0.0, begin_at - time.monotonic()))
        async with websockets.connect(
            self._url, additional_headers=self._headers,
            subprotocols=self._protocols,  # type: ignore[arg-type]
            max_size=MESSAGE_BYTES_MAX, compression=None,
        ) as socket:  # fmt: skip
            first = BackMsg()
            first.rerun_script.page_name = self._page
            await self._run(socket, first)
            assert self._fragment_id, f"the page {self._page} shows nothing that refreshes"
            due_at = begin_at
            while not is_over.is_set():
                # By the clock of when it was opened: pages that once waited for the same thing
                # must not refresh in step from then on.
                while due_at <= time.monotonic():
                    due_at += REFRESH_SECONDS
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(is_over.wait(), due_at - time.monotonic())
                refresh = BackMsg()
                refresh.rerun_script.fragment_id = self._fragment_id
                refresh.rerun_script.page_script_hash = self._page_script_hash
                refresh.rerun_script.is_auto_rerun = True
                await self._run(socket, refresh)
                self.costs.append(time.monotonic() - due_at)

    async def _run(self, socket: websockets.ClientConnection, message: BackMsg) -> None:
        """Ask for a run and wait until it is finished."""
        await socket.send(message.SerializeToString())
        async with asyncio.timeout(RUN_SECONDS_MAX):
            while True:
                answer = ForwardMsg()
                answer.ParseFromString(await socket.recv(decode=False))
                kind = answer.WhichOneof("type")
                if kind == "new_session":
                    self._page_script_hash = answer.new_session.page_script_hash
                elif kind == "auto_rerun":
                    self._fragment_id = answer.auto_rerun.fragment_id
                elif kind == "script_finished":
                    return


async def _watch(tabs: list[_Tab], dashboards: psutil.Process) -> tuple[float, list[float]]:
    """Open all pages one after the other, let them refresh, and measure from then on."""
    is_over = asyncio.Event()
    spacing = REFRESH_SECONDS * 2 / len(tabs)
    begun = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, tab in enumerate(tabs):
            group.create_task(tab.stay(begun + number * spacing, is_over))
        await asyncio.sleep(REFRESH_SECONDS * 4)
        for tab in tabs:
            tab.costs.clear()
        before, started = _cpu_seconds(dashboards), time.monotonic()
        await asyncio.sleep(SECONDS)
        share = (_cpu_seconds(dashboards) - before) / (time.monotonic() - started)
        costs = [cost for tab in tabs for cost in tab.costs]
        is_over.set()
    return share, costs


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def environment_of(folder: Path) -> dict[str, str]:
    """Settings of an installation whose servers run already."""
    server = servers().postgres
    tracker, lake = servers().tracker_database(), servers().new_database()
    names = [sa.make_url(url).database or "" for url in (tracker, lake)]
    ports = choose_free()
    return load(
        {
            **ports,
            **servers().environment(),
            "ATES_HOME": str(folder / "home"),
            "DATABASE_URL": tracker,
            "DATABASE_READER_URL": server.url(names[0], READER),
            "DAGSTER_DATABASE_URL": servers().new_database(),
            "LAKE_CATALOG_URL": lake,
            "LAKE_READER_URL": server.url(names[1], READER),
            "LAKE_DATA_PATH": str(folder / "lake"),
        },
        dotenv_file=None,
    ).environment()


@contextlib.contextmanager
def growing_lake(
    environment: dict[str, str],
) -> Iterator[Callable[[], contextlib.AbstractContextManager[None]]]:
    """A lake with a year of business; what it gives lets it grow while one waits."""
    first_date = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=DAYS - 1)
    count = int((SECONDS + REFRESH_SECONDS * 8) / COMMIT_SECONDS)
    with connect(read_environment(LakeSettings, environment)) as lake:
        held_back = fill(
            lake, ledger_rows=LEDGER_ROWS, first_date=first_date, count_held_back=count
        )
        grant_reads(environment)

        @contextlib.contextmanager
        def grow() -> Iterator[None]:
            is_over = threading.Event()
            writer = threading.Thread(target=_write, args=(lake, held_back, is_over))
            writer.start()
            try:
                yield
            finally:
                is_over.set()
                writer.join()

        yield grow


def _write(
    lake: duckdb.DuckDBPyConnection, batches: Iterator[pa.Table], is_over: threading.Event
) -> None:
    for batch in batches:
        if is_over.wait(COMMIT_SECONDS):
            return
        result = apply_batch(lake, batch)
        if is_due(result.state.epoch):
            tend(lake, result.state.epoch)


@contextlib.contextmanager
def served(environment: dict[str, str]) -> Iterator[psutil.Process]:
    """Tracker and dashboards, each a process of its own; gives the latter."""
    command = [sys.executable, "-m", "ates.cli", "serve"]
    with contextlib.ExitStack() as stack:
        for name, port in (("tracker", "TRACKER_PORT"), ("dashboards", "DASHBOARDS_PORT")):
            running = stack.enter_context(subprocess.Popen([*command, name], env=environment))
            stack.callback(running.terminate)
            path = "/ready" if name == "tracker" else "/_stcore/health"
            _wait_for(f"http://127.0.0.1:{environment[port]}{path}")
        yield psutil.Process(running.pid)


def _wait_for(url: str) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=5).ok:
                return
        time.sleep(0.2)
    raise TimeoutError(f"{url} does not answer")


def add_people(environment: dict[str, str]) -> list[tuple[str, str]]:
    """The lake's employees at the tracker: which page each looks at, and their address."""
    numbers = itertools.count()
    found, password_hash = [], hash_password(PASSWORD)
    engine = sa.create_engine(environment["DATABASE_URL"])
    with engine.begin() as connection:
        for page, role, count in PAGES:
            for number in itertools.islice(numbers, count):
                email = f"{number}@example.com"
                values = {"number": str(number), "email": email, "role": role}
                connection.execute(PEOPLE, {**values, "password_hash": password_hash})
                found.append((page, email))
    engine.dispose()
    return found
