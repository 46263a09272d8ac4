"""End the Dagster runs whose processes an earlier stop or crash took away."""

import contextlib
import os
from pathlib import Path

import psycopg2

from ates import settings

UNFINISHED = "select count(*) from runs where status in ('STARTING', 'STARTED', 'CANCELING')"


def main() -> None:
    """Mark them as failed: nobody else would, and they would count as running for ever."""
    environment = settings.load().environment()
    os.environ.update(environment)
    if _count_unfinished(environment["DAGSTER_DATABASE_URL"]) == 0:
        return  # as nearly always; importing Dagster to find out would take seconds
    from pipelines.dagster_instance import close_leftover_runs

    count = close_leftover_runs(Path(environment["DAGSTER_HOME"]))
    print(f"{count} unfinished runs closed")


def _count_unfinished(url: str) -> int:
    connection = psycopg2.connect(url.replace("postgresql+psycopg2://", "postgresql://", 1))
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute("select to_regclass('runs') is not null")
        if cursor.fetchone() == (False,):
            return 0
        cursor.execute(UNFINISHED)
        row = cursor.fetchone()
    assert row is not None, "count(*) gives a row"
    return int(row[0])


if __name__ == "__main__":
    main()
