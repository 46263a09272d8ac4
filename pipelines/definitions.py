"""The entry point of Dagster: loads everything under `defs/` by itself, nothing else."""

from pathlib import Path

import dagster as dg


@dg.definitions
def definitions() -> dg.Definitions:
    """All assets, jobs, schedules and sensors of the pipelines."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
