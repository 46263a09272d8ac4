"""The tracker's event log and its topics, as the first nodes of the graph; the relay fills them."""

import dagster as dg

from pipelines.graph import BUSINESS_DAYS, EVENT_LOG, TRACKER_TEAM, asset_key, asset_keys


def _topic(name: str, subject: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["kafka", name],
        group_name="kafka",
        kinds={"kafka"},
        owners=TRACKER_TEAM,
        description=f"Events about {subject}, in log order; published by the relay.",
        deps=[asset_key(EVENT_LOG)],
    )


@dg.definitions
def tracker_assets() -> dg.Definitions:
    """Event log and topics."""
    event_log = dg.AssetSpec(
        key=asset_key(EVENT_LOG),
        group_name="tracker",
        kinds={"postgres", "table"},
        owners=TRACKER_TEAM,
        description=(
            "One row per event, numbered without a hole: what everything else follows from. The "
            "relay moves it here from the outbox."
        ),
        metadata={"dagster/table_name": "public.event_log"},
        deps=asset_keys((BUSINESS_DAYS,)),
    )
    topics = [
        _topic("employees", "employees"),
        _topic("tasks", "tasks: created, assigned, completed"),
        _topic("business_days", "closed business days"),
    ]
    return dg.Definitions(assets=[event_log, *topics])
