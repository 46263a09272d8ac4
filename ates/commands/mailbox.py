"""`ates mailbox`: keep mail for reading instead of sending it."""

import asyncio
import logging
import signal
import threading
from typing import TYPE_CHECKING

import click

from ates import settings
from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from ates.mailbox.store import Store

HOST = "127.0.0.1"


@click.command()
@shown_plainly
def command() -> None:
    """Take mail on SMTP_PORT, keep it in $ATES_HOME/mailbox, show it on MAILBOX_PORT."""
    from werkzeug.serving import make_server

    from ates.mailbox.store import Store
    from ates.mailbox.web import make_app

    current = settings.load()
    store = Store(current.home / "mailbox")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    web = make_server(HOST, current.number("MAILBOX_PORT"), make_app(store), threaded=True)
    thread = threading.Thread(target=web.serve_forever, name="web", daemon=True)
    thread.start()
    try:
        asyncio.run(_take_mail(store, current.number("SMTP_PORT")))
    finally:
        web.shutdown()
        store.close()


async def _take_mail(store: "Store", port: int) -> None:
    from ates.mailbox.smtp import serving

    stop = asyncio.Event()
    for what in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(what, stop.set)
    async with serving(store, port):
        click.echo(f"taking mail on port {port}")
        await stop.wait()
