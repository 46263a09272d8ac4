"""The embedded PostgreSQL survives kill -9, dies with its parent, and runs under root's folders."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from ates.embedded import process
from ates.embedded.postgres import PostgresServer

QUICK = {"fsync": "off"}
PR_CAPBSET_DROP = 24
CAP_DAC_READ_SEARCH = 2
SECONDS_MAX = 60.0
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give up rights")


@pytest.fixture
def server(tmp_path: Path) -> PostgresServer:
    return PostgresServer(tmp_path / "server", process.free_port(), tmp_path / "secrets", QUICK)


@pytest.fixture
def running(server: PostgresServer, tmp_path: Path) -> Iterator[process.Running]:
    running = process.Running(server, tmp_path / "log")
    running.start()
    yield running
    running.stop()


def ask(server: PostgresServer, statement: str) -> object:
    url = server.url("tracker").replace("+psycopg2", "")
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        connection.commit()
        return cursor.fetchone()


def test_kill_9_loses_nothing_that_was_committed(
    server: PostgresServer, running: process.Running
) -> None:
    ask(server, "create table kept as select 7 as n; select 1")

    running.kill()
    running.start()

    assert ask(server, "select n from kept") == (7,)


def test_a_missing_database_comes_back_empty_at_the_next_start(
    server: PostgresServer, running: process.Running
) -> None:
    with contextlib.closing(server.connect_as_superuser()) as connection:
        connection.cursor().execute("drop database tracker with (force)")

    running.stop()
    running.start()

    assert ask(server, "select count(*) from pg_tables where schemaname = 'public'") == (0,)


def test_an_interrupted_first_start_is_made_anew(server: PostgresServer, tmp_path: Path) -> None:
    half_made = server.folder / "data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18")

    running = process.Running(server, tmp_path / "log")
    running.start()
    running.stop()

    assert not half_made.exists()


def test_the_server_ends_with_the_process_that_started_it(
    server: PostgresServer, tmp_path: Path
) -> None:
    program = (
        "import sys, time; from pathlib import Path; from ates.embedded import process;"
        "from ates.embedded.postgres import PostgresServer;"
        "folder, port, secrets, log = sys.argv[1:];"
        "server = PostgresServer(Path(folder), int(port), Path(secrets), {'fsync': 'off'});"
        "process.Running(server, Path(log)).start(); print('started', flush=True); time.sleep(600)"
    )
    words = [str(server.folder), str(server.port), str(server.secrets), str(tmp_path / "log")]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "started\n"
        parent.kill()

    deadline = time.monotonic() + SECONDS_MAX
    while process.is_port_taken(server.port):
        assert time.monotonic() < deadline, "the server lives on"
        time.sleep(0.05)


def test_a_server_that_cannot_start_says_why(server: PostgresServer, tmp_path: Path) -> None:
    broken = PostgresServer(server.folder, server.port, server.secrets, {"port": "no port"})

    with pytest.raises(process.ServerError, match='invalid value for parameter "port"'):
        process.Running(broken, tmp_path / "log").start()


def test_no_password_is_in_a_command_line(server: PostgresServer, running: process.Running) -> None:
    passwords = [file.read_text() for file in server.secrets.iterdir()]
    assert running.process is not None
    family = [psutil.Process(running.process.pid)]
    family += family[0].children(recursive=True)

    assert passwords
    for member in family:
        assert not any(word in " ".join(member.cmdline()) for word in passwords)


@only_root
def test_under_root_it_runs_as_nobody_even_in_a_closed_folder(
    server: PostgresServer, tmp_path: Path, running: process.Running
) -> None:
    assert tmp_path.stat().st_mode & 0o777 == 0o700, "pytest closes its folders"
    assert running.process is not None

    assert psutil.Process(running.process.pid).username() == "nobody"
    assert ask(server, "select 1") == (1,)


@only_root
def test_under_a_containers_root_it_runs_as_well(server: PostgresServer, tmp_path: Path) -> None:
    """Containers usually take away the right to read everything and leave the one to write."""

    def drop_as_containers_do() -> None:
        assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH, 0, 0, 0) == 0

    command = process.launched(server.command(), server.stop_signal)
    with (tmp_path / "log").open("wb") as log:
        child = subprocess.Popen(
            command,
            preexec_fn=drop_as_containers_do,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + SECONDS_MAX
    while not process.is_ready(server.folder, child.pid):
        assert child.poll() is None, (tmp_path / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert ask(server, "select 1") == (1,)
    child.send_signal(signal.SIGINT)
    assert child.wait(SECONDS_MAX) == 0
