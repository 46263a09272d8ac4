"""`ates serve NAME`: one service in the foreground, for those whom another supervisor watches.

Containers and systemd units start the services this way, so that there is one list of commands
(`ates/services.py`) wherever they run.
"""

import os

import click

from ates import settings
from ates.commands.errors import shown_plainly


@click.command()
@click.argument("name")
@shown_plainly
def command(name: str) -> None:
    """Become one service, exactly as `ates up` would start it; what it needs must be running."""
    from ates.services import all_services

    loaded = settings.load()
    services = {service.name: service for service in all_services(loaded)}
    if name not in services:
        known = ", ".join(services)
        raise click.BadParameter(f"no such service under these settings; there are {known}")
    service = services[name]
    environment = {**os.environ, **loaded.environment()}
    folder = service.folder or loaded.home
    folder.mkdir(parents=True, exist_ok=True)
    if service.prepare is not None:
        service.prepare(environment)
    os.chdir(folder)
    os.execve(service.command[0], service.command, environment)  # noqa: S606 - to become it
