"""`ates wait`: return when nothing is in flight any more."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ates import reach
from contracts.environment import read_environment

if TYPE_CHECKING:
    import duckdb

POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 300.0


@click.command("wait")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=TIMEOUT_SECONDS,
    show_default=True,
    help="Seconds until it gives up.",
)
def command(timeout: float) -> None:
    """Wait until every event is in the lake, due days are closed and paid, and mail has left.

    Exits 1 when that takes too long, and says what it waits for.
    """
    from rich.console import Console

    console = Console(highlight=False)
    begun = time.monotonic()
    with console.status("looking") as status:
        reasons = wait_until_settled(
            reach.enter_environment(), timeout, lambda each: status.update(f"waiting for {each[0]}")
        )
    if reasons:
        raise click.ClickException(f"after {timeout:g} s still waiting for " + "; ".join(reasons))
    console.print(f"Settled after {time.monotonic() - begun:.1f} s: nothing is in flight.")


def wait_until_settled(
    environment: dict[str, str],
    timeout_seconds: float,
    on_wait: Callable[[list[str]], None] = lambda _: None,
) -> list[str]:
    """Wait until nothing is in flight; the answer is empty then, else what it still waits for.

    A lake that nobody has created yet is waited for like anything else.
    """
    from ates.flight import read_flight

    deadline = time.monotonic() + timeout_seconds
    with reach.interruptible(), contextlib.ExitStack() as stack:
        engine = stack.enter_context(reach.tracker_engine(environment))
        zone = ZoneInfo(environment["BUSINESS_TIMEZONE"])
        lake = None
        while True:
            lake = lake or _open_lake(environment, stack)
            if lake is None:
                reasons = ["the lake to be created"]
            else:
                now = dt.datetime.now(dt.UTC)
                reasons = read_flight(engine, lake, now=now, zone=zone).waits_for()
            if not reasons or time.monotonic() >= deadline:
                return reasons
            on_wait(reasons)
            time.sleep(POLL_SECONDS)


def _open_lake(
    environment: dict[str, str], stack: contextlib.ExitStack
) -> "duckdb.DuckDBPyConnection | None":
    """The lake, read only, or None while it has not been created."""
    from warehouse.lake import LakeUnavailableError, connect
    from warehouse.settings import LakeSettings

    try:
        connection = connect(read_environment(LakeSettings, environment), read_only=True)
    except LakeUnavailableError:
        return None
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'lake'"
        " and schema_name = 'ops' and table_name = 'payout_state'"
    ).fetchone()
    if found != (1,):
        connection.close()
        return None
    stack.callback(connection.close)
    return connection
