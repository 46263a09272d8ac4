"""`ates demo`: the whole business on a real event log, from the first command to a summary."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ates import settings
from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from ates.settings import Settings

EXIT_INTERRUPTED = 130
EXAMPLES = Path(__file__).parents[2] / "examples"
LOG, MAPPING = EXAMPLES / "volvo-2013.csv.gz", EXAMPLES / "volvo-2013.toml"


@click.command("demo")
@click.option(
    "--once",
    is_flag=True,
    help="In a fresh folder: everything, then stop; exit 0 only if all of it agrees.",
)
@click.option("--log", hidden=True, type=click.Path(path_type=Path), default=LOG)
@click.option("--mapping", hidden=True, type=click.Path(path_type=Path), default=MAPPING)
@shown_plainly
def command(once: bool, log: Path, mapping: Path) -> None:
    """Run the whole business on a real event log of 7,554 service-desk tickets.

    Starts every server, imports the log so that it ends today, waits until every payout is mailed,
    prints a summary and stays up until Ctrl-C. A second run continues with the same data.
    """
    from rich.console import Console

    from ates.demo.play import play

    console = Console(highlight=False, soft_wrap=True)
    try:
        if not once:
            play(console, settings.load(), log, mapping, stays=True)
            console.print("stopped")
            return
        with _fresh_home() as fresh:
            is_clean = play(console, fresh, log, mapping, stays=False)
            if not is_clean:
                raise click.ClickException("the demonstration does not agree with itself")
    except KeyboardInterrupt:
        console.print("stopped")
        raise SystemExit(EXIT_INTERRUPTED) from None


@contextlib.contextmanager
def _fresh_home() -> "Iterator[Settings]":
    """Settings of a new installation beside any other: its own folder, servers and free ports.

    The folder goes when all went well and stays, for its logs, when not.
    """
    from ates.supervisor.ports import choose_free
    from ates.variables import VARIABLES

    home = Path(tempfile.mkdtemp(prefix="ates-demo-"))
    home.chmod(0o711)  # a server that runs as another user must get through to its own folder
    ports = choose_free()
    kept = {name: text for name, text in os.environ.items() if name == "BUSINESS_TIMEZONE"}
    for name in VARIABLES:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    os.environ.update(kept)
    yield settings.load({**kept, **ports, "ATES_HOME": str(home)}, dotenv_file=None)
    shutil.rmtree(home)
