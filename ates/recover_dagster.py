"""End the Dagster runs whose processes an earlier stop or crash took away."""

import os
from pathlib import Path

from ates import settings


def main() -> None:
    """Mark them as failed: nobody else would, and they would count as running for ever."""
    environment = settings.load().environment()
    os.environ.update(environment)
    from pipelines.dagster_instance import close_leftover_runs

    count = close_leftover_runs(Path(environment["DAGSTER_HOME"]))
    print(f"{count} unfinished runs closed")


if __name__ == "__main__":
    main()
