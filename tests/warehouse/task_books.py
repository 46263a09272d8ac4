"""What happened to tasks, counted from the log in plain Python: nothing of the lake's SQL in it."""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from uuid import UUID

from contracts import registry
from contracts.events import TaskAssignedV1, TaskCompletedV1, TaskCreatedV2
from warehouse.ingest import LogRow

HOURS = (1, 4, 24, 72, 168, 672)


@dataclass
class Finished:
    """One completed task."""

    business_date: dt.date
    duration: dt.timedelta
    assignments: int

    @property
    def within_hours(self) -> int | None:
        """The class of its duration; None for the longest."""
        whole = dt.timedelta(seconds=self.duration // dt.timedelta(seconds=1))
        return next((each for each in HOURS if whole <= dt.timedelta(hours=each)), None)


@dataclass
class TaskBooks:
    """Days with their counts, tasks still open with their creation, and finished tasks."""

    created: Counter[dt.date] = field(default_factory=Counter)
    assigned: Counter[dt.date] = field(default_factory=Counter)
    reassigned: Counter[dt.date] = field(default_factory=Counter)
    completed: Counter[dt.date] = field(default_factory=Counter)
    open: dict[UUID, dt.datetime] = field(default_factory=dict)
    finished: list[Finished] = field(default_factory=list)

    @property
    def days(self) -> list[dt.date]:
        """Every day with an event of a task."""
        return sorted({*self.created, *self.assigned, *self.completed})

    def groups(self) -> dict[tuple[dt.date, int | None, int], tuple[int, int, int]]:
        """Count, assignments and whole seconds by day, class of duration and assignments."""
        sums: dict[tuple[dt.date, int | None, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for task in self.finished:
            group = sums[task.business_date, task.within_hours, min(task.assignments, 5)]
            group[0] += 1
            group[1] += task.assignments
            group[2] += task.duration // dt.timedelta(seconds=1)
        return {key: (count, hands, seconds) for key, (count, hands, seconds) in sums.items()}


def keep_books(log: list[LogRow]) -> TaskBooks:
    """Read the whole log."""
    books = TaskBooks()
    hands: Counter[UUID] = Counter()
    for row in log:
        envelope, data = registry.decode(row.body)
        match data:
            case TaskCreatedV2():
                books.created[envelope.businessdate] += 1
                books.open[data.task_id] = envelope.time
            case TaskAssignedV1():
                books.assigned[envelope.businessdate] += 1
                books.reassigned[envelope.businessdate] += data.assignment_number > 1
                hands[data.task_id] += 1
            case TaskCompletedV1():
                books.completed[envelope.businessdate] += 1
                duration = envelope.time - books.open.pop(data.task_id)
                books.finished.append(
                    Finished(envelope.businessdate, duration, hands[data.task_id])
                )
    return books
