"""Holds a prediction against the files that `ates export` writes; every difference is a line."""

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tests.oracle.predict import Prediction

Rows = list[dict[str, str]]


def read_csv(path: Path) -> Rows:
    """One export as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def prices_of(tasks: Rows) -> dict[str, tuple[int, int]]:
    """Fee and reward in cents by ticket, the one thing a log cannot tell."""
    return {
        row["external_id"]: (int(row["fee_cents"]), int(row["reward_cents"]))
        for row in tasks
        if row["external_id"]
    }


def differences(prediction: Prediction, folder: Path) -> list[str]:
    """What the exports in a folder say otherwise than predicted; empty when all agree."""
    tasks, employees, postings, payouts, balances = (
        read_csv(folder / f"{name}.csv")
        for name in ("tasks", "employees", "postings", "payouts", "balances")
    )
    name_of = {row["employee_id"]: row["external_id"] for row in employees}
    found = unlike("task", task_facts(prediction), exported_tasks(tasks, name_of))
    for kind, predicted in (("fee", negated(prediction.fees)), ("reward", prediction.rewards)):
        exported: dict[tuple[str, dt.date], int] = defaultdict(int)
        for row in postings:
            if row["kind"] == kind and row["account"] != "company":
                day = dt.date.fromisoformat(row["business_date"])
                exported[name_of[row["account"]], day] += int(row["amount_cents"])
        found += unlike(kind, predicted, exported)
    paid = {
        (name_of[row["employee_id"]], dt.date.fromisoformat(row["business_date"])): int(
            row["amount_cents"]
        )
        for row in payouts
    }
    found += unlike("payout", prediction.payouts, paid)
    left = {row["external_id"]: int(row["balance_cents"]) for row in balances if row["external_id"]}
    return found + unlike("balance", prediction.balances, left) + sums(postings)


def task_facts(prediction: Prediction) -> dict[str, tuple[object, ...]]:
    """Tasks as they can be compared: state, worker, times."""
    return {
        ticket: (
            "done" if task.completed_at else "open",
            task.worker,
            task.created_at,
            task.completed_at,
        )
        for ticket, task in prediction.tasks.items()
    }


def exported_tasks(tasks: Rows, name_of: Mapping[str, str]) -> dict[str, tuple[object, ...]]:
    """The same of the export."""
    return {
        row["external_id"]: (
            row["status"],
            name_of[row["assignee_id"]],
            dt.datetime.fromisoformat(row["created_at"]),
            dt.datetime.fromisoformat(row["completed_at"]) if row["completed_at"] else None,
        )
        for row in tasks
        if row["external_id"]
    }


def negated(amounts: Mapping[tuple[str, dt.date], int]) -> dict[tuple[str, dt.date], int]:
    """Fees leave the employee's account."""
    return {key: -amount for key, amount in amounts.items()}


def sums(postings: Rows) -> list[str]:
    """Entries that do not sum to zero."""
    totals: dict[str, int] = defaultdict(int)
    for row in postings:
        totals[row["entry_id"]] += int(row["amount_cents"])
    return [f"entry {entry}: sums to {total}" for entry, total in totals.items() if total]


def unlike(what: str, predicted: Mapping, exported: Mapping) -> list[str]:
    """A line for every key whose values differ or that one side lacks."""
    return [
        f"{what} {key}: predicted {predicted.get(key)}, exported {exported.get(key)}"
        for key in sorted({*predicted, *exported}, key=str)
        if predicted.get(key) != exported.get(key)
    ]
