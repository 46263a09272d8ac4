"""All checks as a job, for people, and for lakes too large to be checked inside a tick."""

import dagster as dg

from pipelines.defs.checks.checks import verify_lake

verify_lake_job = dg.define_asset_job(
    "verify_lake_now",
    selection=dg.AssetSelection.checks(verify_lake),
    description="Executes every check at one snapshot, as `ates verify` does.",
)
