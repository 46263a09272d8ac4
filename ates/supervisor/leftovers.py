"""Processes of an earlier life of this ATES_HOME: found by a mark in their environment, and ended.

The kernel ends the children of a killed supervisor (see ates.embedded.process); this is for those
that did not follow, and for systems without that help.
"""

import contextlib
import os
import signal
from pathlib import Path

import psutil

MARK = "ATES_SUPERVISED_HOME"
STOP_SECONDS_MAX = 20.0
KILL_SECONDS_MAX = 5.0


def find(home: Path) -> list[psutil.Process]:
    """Every process that a supervisor of this home started, directly or not."""
    return [p for p in psutil.process_iter() if p.pid != os.getpid() and _is_ours(p, home)]


def end(home: Path, stop_seconds_max: float = STOP_SECONDS_MAX) -> int:
    """Ask all of them to end, insist after a while, and say how many there were."""
    found = find(home)
    for process in found:
        _ask_to_end(process)
    _, alive = psutil.wait_procs(found, stop_seconds_max)
    for process in [*alive, *find(home)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, KILL_SECONDS_MAX)
    return len(found)


def _is_ours(process: psutil.Process, home: Path) -> bool:
    with contextlib.suppress(psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if process.name() == "postgres":  # it writes over its environment to show what it does
            return str(home / "postgres" / "data") in process.cmdline()
        return process.environ().get(MARK) == str(home)
    return False


def _ask_to_end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        is_postgres = process.name() == "postgres"  # for whom SIGTERM waits for its clients
        process.send_signal(signal.SIGINT if is_postgres else signal.SIGTERM)
