"""The dashboards, as the last nodes of the graph."""

import dagster as dg

from pipelines.graph import MANAGEMENT_TEAM, asset_keys


def _page(name: str, description: str, *reads: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["dashboards", name],
        group_name="dashboards",
        kinds={"streamlit"},
        owners=MANAGEMENT_TEAM,
        description=description,
        deps=asset_keys(reads),
    )


@dg.definitions
def dashboards() -> dg.Definitions:
    """The pages and the tables they read."""
    pages = [
        _page(
            "account",
            "An employee's own balance, statement and payouts; for everybody.",
            "marts.balances",
            "ledger.account_days",
            "ledger.postings",
            "ledger.payouts",
            "mail.deliveries",
        ),
        _page(
            "company",
            "Earnings per day, balances and payouts; for accountants and admins.",
            "marts.company_days",
            "marts.balances",
            "marts.employees",
            "ledger.payouts",
            "ledger.certificates",
            "mail.deliveries",
        ),
        _page(
            "analytics",
            "Earnings, debts, the dearest tasks and how work flows; for admins.",
            "marts.company_days",
            "marts.balances",
            "marts.dearest_tasks",
            "marts.tasks_created",
            "marts.task_days",
            "marts.unfinished_tasks",
            "marts.finished_tasks",
        ),
        _page(
            "operations",
            "How far everything is, what waits and which invariants hold; for admins.",
            "ops.ingest_state",
            "ops.payout_state",
            "ops.check_results",
            "raw.quarantine",
            "mail.deliveries",
        ),
    ]
    return dg.Definitions(assets=pages)
