"""What Dagster's processes cost while nothing happens, with the demonstration's data behind them.

A whole installation as `ates up` starts it, into which the example's log was imported: hundreds of
paid days, thousands of mails sent, every asset told. Then a minute in which nobody does anything.
"""

import subprocess
import sys
import time

import psutil

from ates import settings
from ates.commands.demo import LOG, MAPPING
from ates.commands.wait import wait_until_settled
from ates.supervisor import Stack
from benchmarks.installation import installation
from benchmarks.ratio import Ratio

SETTLE_SECONDS_MAX = 300.0
# The round of checks after the last change, and whatever the pages of a start leave to be done.
CALM_SECONDS = 60.0
SECONDS = 120.0
SHARE_ALLOWED = 0.05


def run() -> list[Ratio]:
    """The share of one core that all processes of Dagster take together, and each of them."""
    with installation() as environment:
        command = [sys.executable, "-m", "ates.cli", "import", str(LOG), "--mapping", str(MAPPING)]
        options = ["--shift-to-now", "--send-mail"]
        subprocess.run([*command, *options], env=environment, check=True, capture_output=True)
        reasons = wait_until_settled(environment, SETTLE_SECONDS_MAX)
        assert not reasons, reasons
        time.sleep(CALM_SECONDS)
        processes = _processes(environment)
        before, begun = _seconds(processes), time.monotonic()
        time.sleep(SECONDS)
        after, passed_seconds = _seconds(processes), time.monotonic() - begun
    shares = {name: (after[name] - before[name]) / passed_seconds for name in processes}
    each = ", ".join(f"{name.removeprefix('dagster-')} {100 * shares[name]:.1f}" for name in shares)
    share = sum(shares.values())
    return [
        Ratio(
            name=f"Dagster at rest, of one core ({each})",
            ours=100 * share,
            baseline=100 * SHARE_ALLOWED,
            ratio=SHARE_ALLOWED / share,
            goal=1.0,
            unit="%",
        )
    ]


def _processes(environment: dict[str, str]) -> dict[str, psutil.Process]:
    """Those whose names begin with `dagster-`."""
    rows = Stack(settings.load(environment, dotenv_file=None)).status()
    return {
        row.name: psutil.Process(row.pid)
        for row in rows
        if row.name.startswith("dagster-") and row.pid is not None
    }


def _seconds(processes: dict[str, psutil.Process]) -> dict[str, float]:
    """Processor time of each so far, with that of the children it has."""
    return {
        name: sum(_seconds_of(each) for each in [process, *process.children(recursive=True)])
        for name, process in processes.items()
    }


def _seconds_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
