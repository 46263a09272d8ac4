"""The mail queue as a node of the graph."""

import dagster as dg

from pipelines.graph import DATA_TEAM, TABLE_FRESHNESS, asset_key, asset_keys
from pipelines.mail.database import read_columns

TABLE = "mail.deliveries"
DELIVERIES = asset_key(TABLE)


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
        metadata={
            "dagster/table_name": TABLE,
            "dagster/column_schema": dg.TableSchema(columns=_columns()),
        },
        # The sensor shows it after each round that did something, and at least once an hour.
        freshness_policy=TABLE_FRESHNESS,
    )
    return dg.Definitions(assets=[deliveries])


def _columns() -> list[dg.TableColumn]:
    return [
        dg.TableColumn(
            name=each.name,
            type=each.data_type,
            description=each.comment,
            constraints=dg.TableColumnConstraints(nullable=each.is_nullable),
        )
        for each in read_columns(TABLE)
    ]
