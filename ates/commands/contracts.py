"""`ates contracts`: write the events' schemas, and check that published ones have not moved."""

import click

from contracts import publication
from contracts.registry import DATA_TYPES


@click.group(name="contracts")
def command() -> None:
    """Write or check the JSON Schemas of the events."""


@command.command()
def export() -> None:
    """Write the schema of every version that has none yet; a published one is never rewritten."""
    written = publication.export()
    for path in written:
        click.echo(f"wrote {path.relative_to(publication.CONTRACTS_FOLDER.parent)}")
    click.echo(f"{len(written)} schemas written")


@command.command()
def check() -> None:
    """Name every published schema that is missing or moved; exit 1 if there is one."""
    found = publication.differences()
    for line in found:
        click.echo(line, err=True)
    if found:
        click.echo("A published version never changes: make a new one (contracts/README.md).")
        raise SystemExit(1)
    click.echo(f"{len(DATA_TYPES)} published schemas agree with the code")
