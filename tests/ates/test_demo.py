"""The demonstration as a new user meets it: every server, the real log, the independent program.

The first tests share one demonstration, in the order a user would look at it; the others begin
where it ended, and from nothing.
"""

import contextlib
import datetime as dt
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from ates import reach
from ates.embedded.process import is_port_taken
from ates.settings import Settings, load
from ates.supervisor import Stack, leftovers
from ates.supervisor.ports import choose_free
from ates.variables import VARIABLES
from tests.oracle.compare import differences, prices_of, read_csv
from tests.oracle.predict import predict
from warehouse.exports import write_export

EXAMPLES = Path(__file__).parents[2] / "examples"
LOG, MAPPING = EXAMPLES / "volvo-2013.csv.gz", EXAMPLES / "volvo-2013.toml"
UP_SECONDS_MAX = 400
STOP_SECONDS_MAX = 120
MEMORY_BYTES_MAX = 2_500_000_000
COUNT_SERVICES = 10
EXPORTS = ("tasks", "employees", "postings", "payouts", "balances")

pytestmark = [pytest.mark.installation, pytest.mark.timeout(900)]

SMALL_LOG = "\n".join(
    ["SR Number,Change Date+Time,Status,Product,Resource"]
    + [
        f"s{number // 2},2024-02-{1 + number // 4:02}T0{number % 4}:00:00Z,"
        f"{'Completed' if number % 2 else 'Accepted'},P{number},w{number // 2 % 3}"
        for number in range(40)
    ]
)


class Demonstration:
    """A home with free ports of its own, and `ates demo` in it; again after `end`."""

    def __init__(self, folder: Path) -> None:
        for each in (folder, folder.parent, folder.parent.parent):
            each.chmod(each.stat().st_mode | 0o011)  # the database's user must get through
        self.folder, self.home = folder, folder / "home"
        around = {name: each for name, each in os.environ.items() if name not in VARIABLES}
        self.ports = choose_free()
        self.given = {
            **self.ports,
            "ATES_HOME": str(self.home),
            "TMPDIR": str(folder),
        }
        self.environment = {**around, **self.given}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> Settings:
        return load(self.given, dotenv_file=None)

    def begin(self) -> str:
        """What it printed until it was ready."""
        output = self.folder / "demo.txt"
        with output.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ates.cli", "demo"], cwd=self.folder, env=self.environment,
                stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + UP_SECONDS_MAX
        while "Ctrl-C stops everything" not in output.read_text(encoding="utf-8"):
            assert self.process.poll() is None, output.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, output.read_text(encoding="utf-8")
            time.sleep(0.2)
        return output.read_text(encoding="utf-8")

    def end(self) -> int:
        """Ctrl-C; its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS_MAX)

    def ates(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ates.cli", *arguments],
            cwd=self.home, env=self.environment, check=False, capture_output=True, text=True,
        )  # fmt: skip

    def export(self) -> None:
        """One table by the command, the others by what it calls: each start costs two seconds."""
        first, *others = EXPORTS
        target = str(self.folder / f"{first}.csv")
        assert self.ates("export", first, "-o", target).returncode == 0
        with reach.lake_and_tracker(self.settings.environment()) as lake:
            for name in others:
                with (self.folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                    write_export(lake, name, file)

    def moment_of_the_import(self) -> dt.datetime:
        engine = sa.create_engine(self.settings.environment()["DATABASE_URL"])
        with engine.connect() as connection:
            now: dt.datetime = connection.execute(sa.text("select now from imports")).scalar_one()
        engine.dispose()
        return now.astimezone(dt.UTC)


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    made = Demonstration(tmp_path_factory.mktemp("demo"))
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    leftovers.end(made.home)


def test_the_summary_agrees_with_the_oracle(demonstration: Demonstration) -> None:
    printed = demonstration.begin()

    assert "checks hold" in printed
    assert "settled: nothing is in flight" in printed
    assert re.search(r"mails of that day: [\d,]+ sent; of all days: 1,\d+ sent\n", printed)
    assert (demonstration.home / "secrets" / "demo_admin_password").read_text() in printed
    folder = demonstration.folder
    demonstration.export()
    now = demonstration.moment_of_the_import()
    prices = prices_of(read_csv(folder / "tasks.csv"))
    prediction = predict(LOG, MAPPING, prices, zone="UTC", now=now, shift_to_now=True)
    assert differences(prediction, folder) == []


def test_every_service_is_ready_within_the_memory_promised(demonstration: Demonstration) -> None:
    done = demonstration.ates("status")

    assert done.returncode == 0, done.stdout
    assert len(re.findall(r" ready ", done.stdout)) == COUNT_SERVICES
    rows = Stack(demonstration.settings).status()
    assert sum(row.memory_bytes for row in rows) < MEMORY_BYTES_MAX


def test_every_service_listens_on_loopback_only(demonstration: Demonstration) -> None:
    assert demonstration.process is not None
    addresses = set()
    for member in psutil.Process(demonstration.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError):  # runs come and go
            addresses |= {
                connection.laddr.ip
                for connection in member.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }

    assert "127.0.0.1" in addresses
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}


def test_every_log_can_be_read(demonstration: Demonstration) -> None:
    assert "Kafka Server started" in demonstration.ates("logs", "kafka", "-n", "400").stdout


def test_ctrl_c_leaves_no_process_and_no_port(demonstration: Demonstration) -> None:
    assert demonstration.end() == 0
    assert not leftovers.find(demonstration.home)
    assert not [name for name, port in demonstration.ports.items() if is_port_taken(int(port))]
    assert demonstration.ates("status").returncode == 3


def test_a_second_demonstration_continues_with_the_same_data(demonstration: Demonstration) -> None:
    printed = demonstration.begin()

    assert "nothing to do" in printed
    assert (demonstration.home / "secrets" / "demo_admin_password").read_text() in printed
    assert re.search(r"all \d+ checks hold", demonstration.ates("verify").stdout)
    assert demonstration.end() == 0


def test_once_leaves_nothing_and_tells_by_its_status(tmp_path: Path) -> None:
    made = Demonstration(tmp_path)
    log = tmp_path / "small.csv"
    log.write_text(SMALL_LOG, encoding="utf-8")
    command = [sys.executable, "-m", "ates.cli", "demo", "--once", "--mapping", str(MAPPING)]

    good = subprocess.run(
        [*command, "--log", str(log)], env=made.environment, check=False, capture_output=True,
        text=True,
    )  # fmt: skip

    assert good.returncode == 0, good.stdout + good.stderr
    assert re.search(r"all \d+ checks hold", good.stdout)
    assert re.search(r"completions +[1-9]", good.stdout)
    assert not list(tmp_path.glob("ates-demo-*"))
    assert not made.home.exists()
