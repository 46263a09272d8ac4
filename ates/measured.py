"""`python -m ates.measured MODULE ARGUMENTS...`: `python -m MODULE ARGUMENTS...` and its metrics.

For Dagster's code server, inside which ingest, payouts and mail run: their figures are those of its
process, and it has no HTTP server of its own.
"""

import os
import runpy
import sys

from ates import exporter, settings
from contracts import logs


def main() -> None:
    """Serve the metrics, then become the module; what it starts is not measured."""
    loaded = settings.load()
    os.environ.update(loaded.environment())
    logs.configure()
    port = loaded.number("DAGSTER_METRICS_PORT")
    exporter.start(loaded["METRICS_HOST"], port, exporter.OF_INGEST)
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
