"""Plays the demonstration: servers up, log in, everything settled, summary out."""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from ates import reach
from ates.commands.wait import wait_until_settled
from ates.demo.accounts import Account, choose_worker, create_staff
from ates.demo.summary import read_summary, show_summary
from ates.embedded.process import launched
from ates.settings import Settings
from ates.supervisor import Stack
from warehouse.results import keep_results

SETTLE_SECONDS_MAX = 300.0
IMPORT_SECONDS_MAX = 600.0
IMPORT_POLL_SECONDS = 0.1
# How often a log gets a line, and how often one that says the same as before.
STATUS_SECONDS = 3.0
SAME_STATUS_SECONDS = 30.0
# The import needs only the tracker's tables; it runs while the slower servers still start.
TABLES_SERVICE = "migrate"


def play(console: Console, settings: Settings, log: Path, mapping: Path, *, stays: bool) -> bool:
    """Run everything; with `stays`, until Ctrl-C. Whether all settled and every check holds."""
    with Stack(settings) as stack, contextlib.ExitStack() as cleanup:
        options = ["--mapping", str(mapping.resolve()), "--shift-to-now", "--send-mail"]
        play = _Play(console, settings, [str(log.resolve()), *options], cleanup)
        stack.start(play.on_progress)
        has_imported = play.finish_import()
        is_clean = play.settle_and_show()
        play.show_places(stack)
        if stays:
            console.print("Ctrl-C stops everything; the data stays for the next run.")
            with contextlib.suppress(KeyboardInterrupt):  # how it is meant to end
                stack.wait_forever(play.on_progress)
        return has_imported and is_clean


class _Play:
    """One run: what has begun and still has to be waited for."""

    def __init__(
        self,
        console: Console,
        settings: Settings,
        import_arguments: list[str],
        cleanup: contextlib.ExitStack,
    ) -> None:
        self._console = console
        self._settings = settings
        self._environment = settings.environment()
        self._zone = ZoneInfo(settings["BUSINESS_TIMEZONE"])
        self._import_arguments = import_arguments
        self._cleanup = cleanup
        self._began = time.monotonic()
        self._import: subprocess.Popen[str] | None = None
        self._accounts: list[Account] = []

    def on_progress(self, name: str, what: str, _seconds: float) -> None:
        """Tell what happened to a server; the import begins as soon as there are tables."""
        self._tell(f"{name:<15} {what}")
        if name == TABLES_SERVICE and self._import is None:
            self._begin_import()

    def finish_import(self) -> bool:
        """Wait for the import and show its report; whether the log is in."""
        assert self._import is not None, "the tables were ready"
        with self._waiting() as tell:
            deadline = time.monotonic() + IMPORT_SECONDS_MAX
            while self._import.poll() is None and time.monotonic() < deadline:
                tell("the import of the log")
                time.sleep(IMPORT_POLL_SECONDS)
        self._import.terminate()
        report, _ = self._import.communicate()
        self._console.rule("Import", align="left")
        self._console.print(report.rstrip(), markup=False)
        with reach.tracker_engine(self._environment) as engine:
            worker = choose_worker(engine, self._settings.secrets)
        if worker is not None:
            self._accounts.append(worker)
        return self._import.returncode == 0

    def settle_and_show(self) -> bool:
        """Wait until nothing is in flight and print the summary; whether everything agrees."""
        with self._waiting() as tell:
            reasons = wait_until_settled(
                self._environment, SETTLE_SECONDS_MAX, lambda each: tell("; ".join(each))
            )
        if reasons:
            self._tell(f"still waiting for {'; '.join(reasons)}")
        else:
            self._tell("settled: nothing is in flight")
        with (
            reach.lake_and_tracker(self._environment) as lake,
            reach.tracker_engine(self._environment) as engine,
        ):
            summary = read_summary(lake, engine, now=dt.datetime.now(dt.UTC), zone=self._zone)
        with reach.lake_to_write(self._environment) as lake:
            keep_results(lake, summary.verification.findings, checked_by="verify")
        show_summary(self._console, summary)
        self._tell("summary complete")
        return not reasons and summary.verification.is_clean

    def show_places(self, stack: Stack) -> None:
        """Where to look and who can sign in."""
        self._console.rule("Where to look", align="left")
        rows = stack.status()
        for row in rows:
            if row.url:
                self._console.print(f"  {row.name:<15} {row.url}", markup=False)
        total_mb = sum(row.memory_bytes for row in rows) / 1e6
        self._console.print(f"  {len(rows)} services, {total_mb:,.0f} MB of memory together")
        self._console.rule("Who can sign in", align="left")
        width = max(len(account.email) for account in self._accounts)
        for account in self._accounts:
            line = f"  {account.role:<10}  {account.email:<{width}}  {account.password}"
            self._console.print(line, markup=False)
        self._console.print(f"  (passwords of this installation, kept in {self._settings.secrets})")

    def _begin_import(self) -> None:
        with reach.tracker_engine(self._environment) as engine:
            self._accounts = create_staff(engine, self._settings.secrets, self._zone)
        command = [sys.executable, "-m", "ates.cli", "import", *self._import_arguments]
        self._import = subprocess.Popen(
            launched(command),
            env={**os.environ, **self._environment},
            cwd=self._settings.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._cleanup.callback(self._import.terminate)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[Callable[[str], None]]:
        """Shows what is waited for: live on a terminal, a line now and then in a log."""
        if self._console.is_terminal:
            with self._console.status("") as status:
                yield lambda what: status.update(f"{self._seconds():6.1f} s  waiting for {what}")
            return
        told, told_at = "", 0.0

        def tell(what: str) -> None:
            nonlocal told, told_at
            seconds = SAME_STATUS_SECONDS if what == told else STATUS_SECONDS
            if time.monotonic() - told_at >= seconds:
                told, told_at = what, time.monotonic()
                self._tell(f"waiting for {what}")

        yield tell

    def _tell(self, what: str) -> None:
        self._console.print(f"{self._seconds():6.1f} s  {what}", markup=False)

    def _seconds(self) -> float:
        return time.monotonic() - self._began
