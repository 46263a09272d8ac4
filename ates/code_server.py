"""`python -m ates.code_server MODULE ARGUMENTS...`: Dagster's code server, with what it lacks.

Runs are children of this process. Those that an earlier one left unfinished are closed before it
answers: nobody else would, and they would count as running until their time was up. Ingest, payouts
and mail run inside it, so their figures are served beside it.
"""

import contextlib
import logging
import os
import runpy
import sys
import time
from pathlib import Path

import psycopg2

from ates import exporter, settings
from contracts import logs

DATABASE_SECONDS_MAX = 60.0
NAP_SECONDS = 0.5
UNFINISHED = "select count(*) from runs where status in ('STARTING', 'STARTED', 'CANCELING')"

logger = logging.getLogger("ates.code_server")


def main() -> None:
    """Close leftovers, serve the metrics, then become the module; what it starts has no figures."""
    loaded = settings.load()
    os.environ.update(loaded.environment())
    logs.configure()
    close_leftover_runs()
    port = loaded.number("DAGSTER_METRICS_PORT")
    exporter.start(loaded["METRICS_HOST"], port, exporter.OF_INGEST)
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def close_leftover_runs() -> int:
    """End the runs whose processes are gone; how many. Dagster then tries each of them again.

    Waits up to DATABASE_SECONDS_MAX for the database; raises psycopg2.OperationalError then.
    """
    if _count_unfinished(os.environ["DAGSTER_DATABASE_URL"]) == 0:
        return 0  # as nearly always; an instance of Dagster to find that out would take a second
    from pipelines import dagster_instance

    count = dagster_instance.close_leftover_runs(Path(os.environ["DAGSTER_HOME"]))
    logger.warning(logs.line("leftover_runs_closed", runs=count))
    return count


def _count_unfinished(url: str) -> int:
    deadline = time.monotonic() + DATABASE_SECONDS_MAX
    while True:
        try:
            return _ask(url.replace("postgresql+psycopg2://", "postgresql://", 1))
        except psycopg2.OperationalError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(NAP_SECONDS)


def _ask(url: str) -> int:
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('runs') is not null")
        if cursor.fetchone() == (False,):
            return 0
        cursor.execute(UNFINISHED)
        row = cursor.fetchone()
    assert row is not None, "count(*) gives a row"
    return int(row[0])


if __name__ == "__main__":
    main()
