"""`ates relay`: give events their positions and publish them to Kafka until stopped."""

import logging
import os
import signal
import threading

import click


@click.command("relay")
def command() -> None:
    """Publish committed events to Kafka, in order, until SIGTERM or Ctrl-C."""
    from ates import settings
    from contracts.environment import read_environment
    from ops_api.outbox.relay import run_relay
    from ops_api.settings import RelaySettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    os.environ.update(settings.load().environment())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_relay(read_environment(RelaySettings), stop.is_set)
