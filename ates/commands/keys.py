"""`ates keys`: the keys by which the provider signs who somebody is."""

from typing import TYPE_CHECKING

import click

from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from ops_api.auth.provider.keys import KeyRing


@click.group("keys")
def command() -> None:
    """List and rotate the keys that sign who somebody is."""


@command.command("list")
@shown_plainly
def list_all() -> None:
    """Print one line per key, oldest first; the last one signs, all are published."""
    ring = _ring()
    for kid, made_at in ring.ids():
        click.echo(f"{made_at:%Y-%m-%d %H:%M:%S}  {kid}")


@command.command("rotate")
@shown_plainly
def rotate() -> None:
    """Sign with a new key from now on; nobody is signed out, and nothing is to be restarted.

    Older keys stay published for 35 days after they were replaced; then the next rotation drops
    them.
    """
    from ops_api.clock import system_clock

    click.echo(f"signing with {_ring().rotate(system_clock())}")


def _ring() -> "KeyRing":
    from pathlib import Path

    from ates import settings
    from ops_api.auth.provider.keys import KeyRing

    return KeyRing(Path(settings.load()["OIDC_KEYS_PATH"]))
