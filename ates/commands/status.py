"""`ates status`: one row a service. Exit 0: all ready; 1: some are not; 3: nothing runs."""

import datetime as dt
from typing import TYPE_CHECKING

import click

from ates import settings
from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from rich.table import Table

    from ates.supervisor import ServiceStatus

EXIT_NOT_READY = 1
EXIT_NOTHING_RUNS = 3
WIDTH_OF_FILES = 160  # nothing is cut off in a pipe
STYLES = {"ready": "green", "gave up": "red", "stopped": "red"}


@click.command()
@shown_plainly
def command() -> None:
    """Show each service's state, process, port, memory and uptime.

    Exits 0 when all are ready, 1 when some are not, 3 when nothing runs.
    """
    from rich.console import Console

    from ates.supervisor import Stack, SupervisorDownError

    current = settings.load()
    try:
        rows = Stack(current).status()
    except SupervisorDownError:
        click.echo(f"nothing runs for {current.home}; `ates up` starts it")
        raise SystemExit(EXIT_NOTHING_RUNS) from None
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH_OF_FILES
    console.print(_table(rows))
    if not all(row.is_ready for row in rows):
        raise SystemExit(EXIT_NOT_READY)


def _table(rows: "list[ServiceStatus]") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("service", "state", "pid", "port", "memory", "uptime", "page"):
        is_number = title in ("pid", "port", "memory", "uptime")
        table.add_column(title, justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        style = STYLES.get(row.state, "yellow")
        table.add_row(
            row.name,
            f"[{style}]{row.state}[/]",
            str(row.pid or "-"),
            str(row.port or "-"),
            f"{row.memory_bytes / 1e6:,.0f} MB" if row.pid else "-",
            str(dt.timedelta(seconds=int(row.uptime_seconds))) if row.pid else "-",
            row.url,
        )
    total_bytes = sum(row.memory_bytes for row in rows)
    table.add_row("total", "", "", "", f"{total_bytes / 1e6:,.0f} MB", "", "", style="bold")
    return table
