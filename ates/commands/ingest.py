"""`ates ingest`: bring events from Kafka into the lake until stopped, without Dagster."""

import os
import signal
import threading

import click

from ates.commands.errors import shown_plainly


@click.command("ingest")
@shown_plainly
def command() -> None:
    """Bring events from Kafka into the lake until SIGTERM or Ctrl-C.

    Does what Dagster's ingest sensor does. With both at work one steps back and takes over when
    the other stops.
    """
    from ates import exporter, settings
    from contracts import logs
    from contracts.environment import read_environment
    from pipelines.ingest.service import run_ingest
    from pipelines.settings import KafkaSettings
    from warehouse.settings import LakeSettings

    logs.configure()
    loaded = settings.load()
    environment = loaded.environment()
    os.environ.update(environment)
    exporter.start(loaded["METRICS_HOST"], loaded.number("INGEST_METRICS_PORT"), exporter.OF_INGEST)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_ingest(
        read_environment(KafkaSettings),
        read_environment(LakeSettings),
        environment["DATABASE_URL"],
        stop.is_set,
    )
