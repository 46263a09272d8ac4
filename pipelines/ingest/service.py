"""Ingest as a process of its own: window after window, opening everything anew after an error."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

import duckdb
from kafka.errors import KafkaError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.ingest.ahead import Source
from pipelines.ingest.engine import run_window
from pipelines.ingest.kafka_source import KafkaSource
from pipelines.settings import KafkaSettings
from pipelines.trackers import open_tracker
from warehouse.lake import LakeUnavailableError, connect, create_tables
from warehouse.settings import LakeSettings

PAUSE_SECONDS_MIN = 0.5
PAUSE_SECONDS_MAX = 15.0
NAP_SECONDS = 0.1
RETRIED_ERRORS = (duckdb.Error, LakeUnavailableError, SQLAlchemyError, KafkaError, OSError)

logger = logging.getLogger("ates.ingest")
Parts = tuple[Source, duckdb.DuckDBPyConnection, Engine]


def run_ingest(
    kafka: KafkaSettings,
    lake: LakeSettings,
    database_url: str,
    should_stop: Callable[[], bool],
) -> None:
    """Ingest until `should_stop`; servers that are away are waited for."""
    pause_seconds = PAUSE_SECONDS_MIN
    while not should_stop():
        try:
            with open_parts(kafka, lake, database_url) as parts:
                while not should_stop():
                    run_window(*parts, should_stop=should_stop)
                    pause_seconds = PAUSE_SECONDS_MIN
        except RETRIED_ERRORS as error:
            logger.warning("trying again in %.1f s: %s", pause_seconds, error)
            _sleep(pause_seconds, should_stop)
            pause_seconds = min(2 * pause_seconds, PAUSE_SECONDS_MAX)


@contextlib.contextmanager
def open_parts(kafka: KafkaSettings, lake: LakeSettings, database_url: str) -> Iterator[Parts]:
    """What a window needs: source, lake with its tables, tracker database."""
    with contextlib.ExitStack() as stack:
        connection = connect(lake)
        stack.callback(connection.close)
        create_tables(connection)
        source = KafkaSource(kafka)
        stack.callback(source.close)
        tracker = stack.enter_context(open_tracker(database_url))
        yield source, connection, tracker


def _sleep(seconds: float, should_stop: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not should_stop():
        time.sleep(NAP_SECONDS)
