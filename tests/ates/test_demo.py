"""The demonstration as a new user meets it, held against the independent program."""

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

import pytest
import sqlalchemy as sa

from ates.embedded.process import free_port
from ates.settings import load
from ates.units import Unit
from ates.variables import VARIABLES
from tests.oracle.compare import differences, prices_of, read_csv
from tests.oracle.predict import predict

EXAMPLES = Path(__file__).parents[2] / "examples"
LOG, MAPPING = EXAMPLES / "volvo-2013.csv.gz", EXAMPLES / "volvo-2013.toml"
UP_SECONDS_MAX = 400
STOP_SECONDS_MAX = 120
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


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home and free ports of one's own; nothing of the variables around us."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(folder.stat().st_mode | 0o011)  # the database's user must get through
    ports = {name: str(free_port()) for name, each in VARIABLES.items() if each.unit is Unit.PORT}
    around = {name: each for name, each in os.environ.items() if name not in VARIABLES}
    return {**around, **ports, "ATES_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}


@contextlib.contextmanager
def demonstration(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """A running `ates demo`: yields what it printed until it was ready; then Ctrl-C."""
    output = folder / "demo.txt"
    with output.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ates.cli", "demo"], cwd=folder, env=environment,
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + UP_SECONDS_MAX
        while "Ctrl-C stops everything" not in output.read_text(encoding="utf-8"):
            assert process.poll() is None, output.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, output.read_text(encoding="utf-8")
            time.sleep(0.2)
        yield output.read_text(encoding="utf-8")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS_MAX)


def ates(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ates.cli", *arguments],
        cwd=environment["ATES_HOME"], env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


def moment_of_the_import(environment: dict[str, str]) -> dt.datetime:
    url = load(environment, dotenv_file=None).environment()["DATABASE_URL"]
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        now: dt.datetime = connection.execute(sa.text("select now from imports")).scalar_one()
    engine.dispose()
    return now.astimezone(dt.UTC)


def test_the_demonstration_agrees_with_the_oracle_and_continues_with_its_data(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with demonstration(environment, tmp_path) as first:
        assert "checks hold" in first
        assert "settled: nothing is in flight" in first
        assert re.search(r"mails of that day: [\d,]+ sent; of all days: 1,\d+ sent\n", first)
        for name in EXPORTS:
            ates(environment, "export", name, "-o", str(tmp_path / f"{name}.csv"))
        now = moment_of_the_import(environment)
        password = (tmp_path / "home" / "secrets" / "demo_admin_password").read_text()
        assert password in first

    prices = prices_of(read_csv(tmp_path / "tasks.csv"))
    prediction = predict(LOG, MAPPING, prices, zone="UTC", now=now, shift_to_now=True)
    assert differences(prediction, tmp_path) == []

    with demonstration(environment, tmp_path) as second:
        assert "nothing to do" in second
        assert "checks hold" in second
        assert password in second
        assert re.search(r"all \d+ checks hold", ates(environment, "verify"))


def test_once_leaves_nothing_and_tells_by_its_status(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "small.csv"
    log.write_text(SMALL_LOG, encoding="utf-8")
    command = [sys.executable, "-m", "ates.cli", "demo", "--once", "--mapping", str(MAPPING)]

    good = subprocess.run(
        [*command, "--log", str(log)], env=environment, check=False, capture_output=True, text=True
    )

    assert good.returncode == 0, good.stdout + good.stderr
    assert re.search(r"all \d+ checks hold", good.stdout)
    assert re.search(r"completions +[1-9]", good.stdout)
    assert not list(tmp_path.glob("ates-demo-*"))
    assert not (tmp_path / "home").exists()
