"""The mail queue as a node of the graph."""

import dagster as dg

from pipelines.graph import DATA_TEAM, asset_key, asset_keys

DELIVERIES = asset_key("mail.deliveries")


@dg.definitions
def mail_assets() -> dg.Definitions:
    """The deliveries, filled and worked off by the sensor `deliver_mail`."""
    deliveries = dg.AssetSpec(
        key=DELIVERIES,
        group_name="mail",
        kinds={"postgres", "email"},
        owners=DATA_TEAM,
        description="One mail per payout: pending, sending, sent, or blocked with its reason.",
        deps=asset_keys(("ledger.payouts", "marts.employees")),
        metadata={"dagster/table_name": "mail.deliveries"},
    )
    return dg.Definitions(assets=[deliveries])
