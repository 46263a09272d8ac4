"""The topics and the tables that the ingest window fills; the tables' SQL is in `warehouse/`."""

import dagster as dg

TRACKER_TEAM = ["team:tracker"]
DATA_TEAM = ["team:data"]


def _topic(name: str, subject: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["kafka", name],
        group_name="topics",
        kinds={"kafka"},
        owners=TRACKER_TEAM,
        description=f"Events about {subject}, in log order; published by the relay.",
    )


def _table(
    schema: str, name: str, description: str, deps: list[str], *, is_view: bool = False
) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=[schema, name],
        group_name=schema,
        kinds={"duckdb", "view" if is_view else "table"},
        owners=DATA_TEAM,
        description=description,
        deps=[dg.AssetKey(one.split(".")) for one in deps],
        metadata={"dagster/table_name": f"{schema}.{name}"},
    )


TOPICS = [
    _topic("employees", "employees"),
    _topic("tasks", "tasks: created, assigned, completed"),
    _topic("business_days", "closed business days"),
]
RAW = [
    _table(
        "raw",
        "events",
        "One row per event, as it was received; everything else follows from it.",
        ["kafka.employees", "kafka.tasks", "kafka.business_days"],
    ),
    _table(
        "raw",
        "quarantine",
        "Records that are no event we know, with the reason and their bytes.",
        ["kafka.employees", "kafka.tasks", "kafka.business_days"],
    ),
]
LEDGER = [
    _table(
        "ledger",
        "postings",
        "One row per leg of a journal entry, in cents; every entry sums to zero. Append only.",
        ["raw.events"],
    ),
    _table(
        "ledger",
        "account_days",
        "Movements per account and business day; the sums behind every balance.",
        ["ledger.postings"],
    ),
    _table(
        "ledger",
        "certificates",
        "One row per closed business day: what the day must add up to before it is paid.",
        ["raw.events"],
    ),
]
MARTS = [
    _table("marts", "employee_versions", "One row per state an employee was in.", ["raw.events"]),
    _table(
        "marts",
        "employees",
        "One row per employee, as known now.",
        ["marts.employee_versions"],
        is_view=True,
    ),
    _table("marts", "tasks_created", "One row per task, as it was created.", ["raw.events"]),
    _table(
        "marts",
        "dearest_tasks",
        "Candidates for the task with the highest reward of a day, week or month.",
        ["raw.events"],
    ),
    _table(
        "marts",
        "task_days",
        "Tasks created, assigned, reassigned and completed, by business day.",
        ["raw.events"],
    ),
    _table(
        "marts",
        "unfinished_tasks",
        "Tasks that are open, and those completed of late that upkeep has not counted yet.",
        ["raw.events"],
    ),
    _table(
        "marts",
        "finished_tasks",
        "Completed tasks by day, time they took and number of assignments.",
        ["marts.unfinished_tasks"],
    ),
    _table(
        "marts",
        "balances",
        "One row per account: its balance now, in cents.",
        ["ledger.account_days"],
        is_view=True,
    ),
    _table(
        "marts",
        "company_days",
        "One row per business day: fees, rewards, what the company earned, and payouts.",
        ["ledger.account_days"],
        is_view=True,
    ),
]


@dg.definitions
def ingest_assets() -> dg.Definitions:
    """Topics, raw events, ledger and marts."""
    return dg.Definitions(assets=[*TOPICS, *RAW, *LEDGER, *MARTS])
