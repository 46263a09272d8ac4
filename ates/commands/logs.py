"""`ates logs NAME`: the last lines of a service's log, and what follows them."""

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import click

from ates import settings
from ates.commands.errors import shown_plainly

POLL_SECONDS = 0.2
LINES_DEFAULT = 50


@click.command()
@click.argument("name")
@click.option("-n", "--lines", default=LINES_DEFAULT, show_default=True, help="How many lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@shown_plainly
def command(name: str, lines: int, follow: bool) -> None:
    """Show the end of the log of service NAME (or of `supervisor`)."""
    folder = settings.load().home / "logs"
    path = folder / f"{name}.log"
    known = sorted(file.stem for file in folder.glob("*.log"))
    if name not in known:
        raise click.ClickException(f"no log of {name!r}; there are: {', '.join(known) or 'none'}")
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in deque(file, maxlen=lines):
            click.echo(line, nl=False)
        position = file.tell()
    if follow:
        for text in _new_text(path, position):
            click.echo(text, nl=False)


def _new_text(path: Path, position: int) -> Iterator[str]:
    """What is appended after `position`, through rotations, until interrupted."""
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(position)
    try:
        while True:
            yield file.read()
            if path.exists() and not os.path.samestat(path.stat(), os.fstat(file.fileno())):
                yield file.read()
                file.close()
                file = path.open(encoding="utf-8", errors="replace")
            time.sleep(POLL_SECONDS)
    finally:
        file.close()
