"""The dashboards, as the last nodes of the graph."""

import dagster as dg


def _page(name: str, description: str, deps: list[list[str]]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["dashboards", name],
        group_name="dashboards",
        kinds={"streamlit"},
        owners=["team:management"],
        description=description,
        deps=[dg.AssetKey(key) for key in deps],
    )


@dg.definitions
def dashboards() -> dg.Definitions:
    """The pages and the tables they read."""
    accounting = _page(
        "accounting",
        "Earnings per day, balances and payouts; for accountants and admins.",
        [["marts", "company_days"], ["marts", "balances"], ["ledger", "payouts"]],
    )
    return dg.Definitions(assets=[accounting])
