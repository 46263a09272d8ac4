"""`ates relay`: give events their positions and publish them to Kafka until stopped."""

import os
import signal
import threading

import click

from ates.commands.errors import shown_plainly


@click.command("relay")
@shown_plainly
def command() -> None:
    """Publish committed events to Kafka, in order, until SIGTERM or Ctrl-C."""
    from ates import exporter, settings
    from contracts import logs
    from contracts.environment import read_environment
    from ops_api.outbox.relay import run_relay
    from ops_api.settings import RelaySettings

    logs.configure()
    loaded = settings.load()
    os.environ.update(loaded.environment())
    exporter.start(loaded["METRICS_HOST"], loaded.number("RELAY_METRICS_PORT"), exporter.OF_RELAY)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_relay(read_environment(RelaySettings), stop.is_set)
