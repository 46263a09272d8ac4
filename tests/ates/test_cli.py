"""The command line: names, messages a person can use, and exit statuses a script can use."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ates import cli
from ates.commands.logs import _new_text
from ates.embedded.process import free_port
from ates.services import Service
from ates.settings import Settings, load
from ates.supervisor import Stack, stack
from tests.ates.supervisor.run_stack import fake

SECONDS_MAX = 60.0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATES_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def fakes(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Service]:
    """Two quick services in place of the real ones, for every command."""
    services = [fake(home, name, free_port()) for name in ("fake0", "fake1")]

    def all_services(_settings: Settings) -> list[Service]:
        return services

    monkeypatch.setattr(stack, "all_services", all_services)
    return services


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.main, words, catch_exceptions=False)


def eventually(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_help_names_every_command_without_importing_one() -> None:
    program = (
        "import sys; from ates import cli; cli.main(['--help'], standalone_mode=False);"
        "assert not [m for m in sys.modules if m.startswith('ates.commands')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )

    assert all(f"  {name} " in done.stdout for name in cli.COMMANDS)


def test_every_command_has_its_module() -> None:
    for name, (module, text) in cli.COMMANDS.items():
        assert importlib.util.find_spec(module) is not None, name
        assert text.endswith("."), name


def test_an_unknown_command_is_refused() -> None:
    result = run("fly")

    assert result.exit_code == 2
    assert "No such command 'fly'" in result.output


def test_status_of_nothing_exits_3(home: Path) -> None:
    result = run("status")

    assert result.exit_code == 3
    assert "nothing runs" in result.output
    assert not list(home.iterdir()), "asking changes nothing"


def test_status_exits_0_when_all_are_ready_and_1_when_not(home: Path, fakes: list[Service]) -> None:
    with Stack(load(), fakes) as running:
        running.start()
        ready = run("status")
        (home / "fake1.broken").touch()
        os.kill(int((home / "fake1.pid").read_text()), signal.SIGKILL)
        eventually(lambda: run("status").exit_code == 1)

    assert ready.exit_code == 0
    assert str(fakes[0].port) in ready.output
    assert "MB" in ready.output


def test_down_of_nothing_is_fine(home: Path) -> None:
    result = run("down")

    assert (result.exit_code, result.output) == (0, "nothing runs\n")


def test_down_stops_another_process(home: Path) -> None:
    program = Path(__file__).parent / "supervisor" / "run_stack.py"
    words = [sys.executable, str(program), str(home), str(free_port())]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as foreground:
        assert foreground.stdout is not None
        eventually(lambda: foreground.stdout.readline() == "all ready\n")

        result = run("down")

        assert (result.exit_code, result.output) == (0, "stopped\n")
        assert foreground.wait(SECONDS_MAX) == 0


def test_a_bad_setting_is_a_sentence_not_a_trace(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_PORT", "many")

    result = run("up")

    assert result.exit_code == 1
    assert result.output == (
        "Error: KAFKA_PORT must be a whole number from 1 to 65535, not 'many'\n"
    )


def test_logs_shows_the_last_lines(home: Path) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "kafka.log").write_text("".join(f"line {n}\n" for n in range(100)))

    assert run("logs", "kafka", "-n", "2").output == "line 98\nline 99\n"


def test_logs_of_an_unknown_service_names_the_known(home: Path) -> None:
    (home / "logs").mkdir()
    (home / "logs" / "kafka.log").touch()

    result = run("logs", "kafak")

    assert result.exit_code == 1
    assert "no log of 'kafak'; there are: kafka" in result.output


def test_following_a_log_goes_on_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "kafka.log"
    path.write_text("old\n")
    seen: list[str] = []
    following = _new_text(path, 4)

    def follow() -> None:
        for text in following:
            seen.append(text)
            if "last" in text:
                return

    thread = threading.Thread(target=follow)
    thread.start()
    with path.open("a") as file:
        file.write("first\n")
    eventually(lambda: "first\n" in "".join(seen))
    path.rename(tmp_path / "kafka.log.1")
    path.write_text("last\n")
    thread.join(SECONDS_MAX)

    assert "".join(seen) == "first\nlast\n"
