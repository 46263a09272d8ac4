"""The tracker's business days; to materialise them is to ask for the closing of due ones."""

from collections.abc import Mapping

import dagster as dg

from contracts.environment import read_environment
from pipelines import graph
from pipelines.days.client import ClosedDay, close_due_days
from pipelines.days.errors import TrackerError
from pipelines.settings import TrackerSettings

BUSINESS_DAYS = graph.asset_key(graph.BUSINESS_DAYS)


def ask_to_close() -> list[ClosedDay]:
    """Have the tracker close every day that is over; those closed by this call. TrackerError."""
    return close_due_days(read_environment(TrackerSettings))


def closing_metadata(closed: list[ClosedDay]) -> Mapping[str, dg.MetadataValue]:
    """What a closing shows in the catalog."""
    return {
        "days": dg.MetadataValue.int(len(closed)),
        "events": dg.MetadataValue.int(sum(day.count_events for day in closed)),
        "first_day": dg.MetadataValue.text(str(closed[0].business_date) if closed else "none"),
        "last_day": dg.MetadataValue.text(str(closed[-1].business_date) if closed else "none"),
    }


@dg.asset(
    key=BUSINESS_DAYS,
    group_name="tracker",
    kinds={"postgres", "table"},
    owners=graph.TRACKER_TEAM,
    freshness_policy=graph.DAILY_FRESHNESS,
    description=(
        "Closed business days, each with its certificate. The schedule `close_due_days` asks for "
        "them every minute; materialise this to ask right now."
    ),
)
def business_days() -> dg.MaterializeResult[None]:
    """Close what is due and say what was closed."""
    try:
        closed = ask_to_close()
    except TrackerError as error:
        raise dg.Failure(str(error)) from error
    return dg.MaterializeResult(metadata=closing_metadata(closed))
