"""What a log must lead to, worked out the plain way: one row after the other, one day at a time.

Only the standard library, and nothing of ours: an error here and there at once is unlikely.
"""

import csv
import datetime as dt
import gzip
import io
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass
class Task:
    """A ticket as the log leaves it; workers by the name the log gives them."""

    fee: int
    reward: int
    worker: str
    created_at: dt.datetime
    completed_at: dt.datetime | None = None
    count_assignments: int = 1


@dataclass
class Prediction:
    """Everything money can be compared by; days and workers as keys, cents as values."""

    tasks: dict[str, Task] = field(default_factory=dict)
    fees: dict[tuple[str, dt.date], int] = field(default_factory=lambda: defaultdict(int))
    rewards: dict[tuple[str, dt.date], int] = field(default_factory=lambda: defaultdict(int))
    payouts: dict[tuple[str, dt.date], int] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    closed_days: list[dt.date] = field(default_factory=list)


def predict(
    log: Path,
    mapping: Path,
    prices: dict[str, tuple[int, int]],
    *,
    zone: str,
    now: dt.datetime,
    shift_to_now: bool = False,
) -> Prediction:
    """Predict the whole history of a log imported at `now`; `prices` are (fee, reward) by ticket.

    Rows that cannot be read (cells missing, no time) are left out.
    """
    rules = tomllib.loads(mapping.read_text(encoding="utf-8"))
    rows = read(log, rules)
    if shift_to_now and rows:
        shift = dt.timedelta(0)
        last = max(row[0] for row in rows)
        while last + shift < now:
            shift += dt.timedelta(days=7)
        while last + shift - dt.timedelta(days=7) >= now:
            shift -= dt.timedelta(days=7)
        rows = [(at + shift, *rest) for at, *rest in rows]
    rows = [row for row in rows if row[0] <= now]
    prediction = Prediction()
    for at, ticket, worker, status in rows:
        nobody = rules["values"].get("nobody", [""])
        if worker not in nobody:
            day = at.astimezone(ZoneInfo(zone)).date()
            apply(prediction, prices, at, day, ticket, worker, status in rules["values"]["done"])
    settle(prediction, today=now.astimezone(ZoneInfo(zone)).date())
    return prediction


def read(log: Path, rules: dict) -> list[tuple[dt.datetime, str, str, str]]:
    """The log's usable rows (time in UTC, ticket, worker, status), in time order."""
    content = log.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    text = content.decode(rules.get("file", {}).get("encoding", "utf-8"))
    delimiter = rules.get("file", {}).get("delimiter", ",")
    columns = rules["columns"]
    rows = []
    for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter):
        if None in row or None in row.values():
            continue
        ticket = row[columns["ticket"]].strip()
        try:
            at = moment(row[columns["time"]].strip(), rules.get("time", {}))
        except ValueError:
            continue
        if ticket:
            worker, status = row[columns["worker"]].strip(), row[columns["status"]].strip()
            rows.append((at, ticket, worker, status))
    return sorted(rows, key=lambda row: row[0])


def moment(text: str, rules: dict) -> dt.datetime:
    """A time cell as UTC."""
    pattern = rules.get("format", "iso8601")
    if pattern == "iso8601":
        at = dt.datetime.fromisoformat(text)
    else:
        at = dt.datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone follows
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(rules.get("zone", "UTC")))
    return at.astimezone(dt.UTC)


def apply(
    prediction: Prediction,
    prices: dict[str, tuple[int, int]],
    at: dt.datetime,
    day: dt.date,
    ticket: str,
    worker: str,
    is_done: bool,
) -> None:
    """One row that names a worker."""
    task = prediction.tasks.get(ticket)
    if task is None:
        fee, reward = prices[ticket]
        task = prediction.tasks[ticket] = Task(fee, reward, worker, at)
        prediction.fees[worker, day] += fee
    elif task.completed_at is not None:
        return
    elif task.worker != worker:
        task.worker = worker
        task.count_assignments += 1
        prediction.fees[worker, day] += task.fee
    if is_done:
        task.completed_at = at
        prediction.rewards[worker, day] += task.reward


def settle(prediction: Prediction, *, today: dt.date) -> None:
    """Close every day before today: whoever has a positive balance is paid all of it."""
    days = {day for _, day in [*prediction.fees, *prediction.rewards]}
    moved: dict[dt.date, set[str]] = defaultdict(set)
    for worker, day in [*prediction.fees, *prediction.rewards]:
        moved[day].add(worker)
    balances: dict[str, int] = defaultdict(int)
    day = min(days, default=today)
    while day <= today:
        for worker in moved[day]:
            balances[worker] += prediction.rewards.get((worker, day), 0)
            balances[worker] -= prediction.fees.get((worker, day), 0)
        if day < today:
            prediction.closed_days.append(day)
            # Whoever did not move today was paid, or is in debt, from an earlier day.
            for worker in moved[day]:
                if balances[worker] > 0:
                    prediction.payouts[worker, day] = balances[worker]
                    balances[worker] = 0
        day += dt.timedelta(days=1)
    prediction.balances = dict(balances)
