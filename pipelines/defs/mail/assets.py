"""The mail queue as a node of the graph."""

import dagster as dg

DELIVERIES = dg.AssetKey(["mail", "deliveries"])


@dg.definitions
def mail_assets() -> dg.Definitions:
    """The deliveries, filled and worked off by the sensor `deliver_mail`."""
    deliveries = dg.AssetSpec(
        key=DELIVERIES,
        group_name="mail",
        kinds={"postgres", "email"},
        owners=["team:data"],
        description="One mail per payout: pending, sending, sent, or blocked with its reason.",
        deps=[dg.AssetKey(["ledger", "payouts"]), dg.AssetKey(["marts", "employees"])],
        metadata={"dagster/table_name": "mail.deliveries"},
    )
    return dg.Definitions(assets=[deliveries])
