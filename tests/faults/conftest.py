"""One installation for all faults, started once: a fault must leave it fit for the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ates.embedded import process
from tests.conftest import PORTS_OF_SERVICES
from tests.faults.world import World

PORTS = (*PORTS_OF_SERVICES, "POSTGRES_PORT", "KAFKA_PORT", "KAFKA_CONTROLLER_PORT")
WORKERS = 3


@pytest.fixture(scope="module")  # ends with its file: an idle one costs its share of a core
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running installation with a manager and some workers."""
    folder = tmp_path_factory.mktemp("faults")
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(each.stat().st_mode | 0o011)
    with World(folder / "home", _variables()) as running:
        running.workers = [running.hire(f"Worker{number}") for number in range(WORKERS)]
        running.manager = running.hire_by_command("Manager", "manager")
        yield running


def _variables() -> dict[str, str]:
    ports = {name: str(process.free_port()) for name in PORTS}
    return {**ports, "TRACKER_URL": f"http://127.0.0.1:{ports['TRACKER_PORT']}"}


@pytest.fixture
def small_log(tmp_path: Path) -> tuple[Path, Path]:
    """A log of two weeks for two workers, and its mapping."""
    log = tmp_path / "small.csv"
    rows = ["ticket,time,worker,status"]
    for day in range(1, 15):
        for number in range(8):
            ticket, worker = f"T-{day}-{number}", ("Ann", "Bob")[number % 2]
            rows.append(f"{ticket},2020-01-{day:02}T09:00:00Z,{worker},open")
            rows.append(f"{ticket},2020-01-{day:02}T15:00:00Z,{worker},done")
    log.write_text("\n".join(rows) + "\n")
    mapping = tmp_path / "small.toml"
    mapping.write_text(
        '[columns]\nticket = "ticket"\ntime = "time"\nworker = "worker"\nstatus = "status"\n'
        '[values]\ndone = ["done"]\nnobody = [""]\n'
    )
    return log, mapping
