"""`ates ingest`: bring events from Kafka into the lake until stopped, without Dagster."""

import logging
import os
import signal
import threading

import click


@click.command("ingest")
def command() -> None:
    """Bring events from Kafka into the lake until SIGTERM or Ctrl-C.

    Does what Dagster's ingest sensor does. With both at work one steps back and takes over when
    the other stops.
    """
    from ates import settings
    from contracts.environment import read_environment
    from pipelines.ingest.service import run_ingest
    from pipelines.settings import KafkaSettings
    from warehouse.settings import LakeSettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    environment = settings.load().environment()
    os.environ.update(environment)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_ingest(
        read_environment(KafkaSettings),
        read_environment(LakeSettings),
        environment["DATABASE_URL"],
        stop.is_set,
    )
