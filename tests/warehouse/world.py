"""A small company in plain Python: writes an event log and keeps its own books beside it.

The books follow the day-by-day rule with dictionaries only, so they know nothing of SQL, of the
closed form, or of how the lake counts.
"""

import datetime as dt
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import pyarrow as pa

from contracts import registry
from contracts.events import (
    BusinessDayClosedV1,
    EmployeeRegisteredV1,
    EventData,
    TaskAssignedV1,
    TaskCompletedV1,
    TaskCreatedV1,
    TaskCreatedV2,
)
from warehouse.ingest import RECORDS, LogRow

FIRST_DATE = dt.date(2026, 3, 2)
PARTITIONS = {"employees": 1, "tasks": 4, "business-days": 1}


@dataclass
class Task:
    """An open task and its prices."""

    task_id: UUID
    title: str
    fee_cents: int
    reward_cents: int
    assignee_id: UUID
    sequence: int = 2
    assignment_number: int = 1


@dataclass
class World:
    """The log so far, and what the books of an honest clerk would say."""

    seed: int = 1
    date: dt.date = FIRST_DATE
    log: list[LogRow] = field(default_factory=list)
    employees: list[UUID] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    balances: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    earnings: dict[dt.date, int] = field(default_factory=lambda: defaultdict(int))
    payouts: dict[tuple[dt.date, UUID], int] = field(default_factory=dict)
    open_count: int = 0
    open_fees_cents: int = 0
    open_rewards_cents: int = 0

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self._second = 0

    def uuid(self) -> UUID:
        """The next id of this world."""
        return UUID(int=self.rng.getrandbits(128), version=4)

    def hire(self, count: int = 1) -> None:
        """Register employees."""
        for _ in range(count):
            employee_id = self.uuid()
            number = len(self.employees)
            self.employees.append(employee_id)
            self.emit(
                EmployeeRegisteredV1(
                    employee_id=employee_id,
                    name=f"Employee {number}",
                    email=f"e{number}@example.com",
                    role="worker",
                    is_active=True,
                ),
                str(employee_id),
                1,
            )

    def create_task(self, title: str = "sweep the floor", *, version: int = 2) -> Task:
        """A task with random prices, assigned at random."""
        task = Task(
            self.uuid(),
            title,
            self.rng.randrange(1000, 2001, 100),
            self.rng.randrange(2000, 4001, 100),
            self.rng.choice(self.employees),
        )
        kind = TaskCreatedV1 if version == 1 else TaskCreatedV2
        data = kind(
            task_id=task.task_id,
            title=title,
            fee_cents=task.fee_cents,
            reward_cents=task.reward_cents,
            created_by=self.rng.choice(self.employees),
        )
        self.emit(data, str(task.task_id), 1)
        self._assign(task)
        self.tasks.append(task)
        return task

    def reassign_all(self) -> None:
        """Every open task gets a new random assignee, who is charged."""
        for task in self.tasks:
            task.assignee_id = self.rng.choice(self.employees)
            task.assignment_number += 1
            task.sequence += 1
            self._assign(task)

    def complete(self, task: Task | None = None) -> None:
        """The assignee of a task earns its reward."""
        if task is None:
            task = self.rng.choice(self.tasks)
        self.tasks.remove(task)
        data = TaskCompletedV1(
            task_id=task.task_id,
            employee_id=task.assignee_id,
            reward_cents=task.reward_cents,
            title=task.title,
        )
        self.emit(data, str(task.task_id), task.sequence + 1)
        self.balances[task.assignee_id] += task.reward_cents
        self.earnings[self.date] -= task.reward_cents
        self.open_rewards_cents += task.reward_cents

    def close_day(self) -> None:
        """Certify the day, pay what is positive, and start the next one."""
        certificate = BusinessDayClosedV1(
            business_date=self.date,
            last_position=len(self.log),
            count_events=self.open_count,
            fees_cents=self.open_fees_cents,
            rewards_cents=self.open_rewards_cents,
        )
        self.emit(certificate, self.date.isoformat(), 1)
        for employee_id, balance in self.balances.items():
            if balance > 0:
                self.payouts[self.date, employee_id] = balance
                self.balances[employee_id] = 0
        self.date += dt.timedelta(days=1)
        self._second = 0
        self.open_count = self.open_fees_cents = self.open_rewards_cents = 0

    def work(self, steps: int) -> None:
        """Some random business on the current day."""
        for _ in range(steps):
            choice = self.rng.random()
            if choice < 0.5 or not self.tasks:
                self.create_task()
            elif choice < 0.95:
                self.complete()
            else:
                self.reassign_all()

    def live(self, days: int, steps: int = 20) -> None:
        """Random business for some days, each closed; some days stay empty."""
        for _ in range(days):
            self.work(self.rng.randrange(steps) if self.rng.random() < 0.9 else 0)
            self.close_day()

    def emit(self, data: EventData, subject: str, sequence: int) -> LogRow:
        """Append one event to the log."""
        self._second += 1
        midnight = dt.datetime.combine(self.date, dt.time(), dt.UTC)
        body = registry.encode(
            data,
            event_id=self.uuid(),
            subject=subject,
            sequence=sequence,
            occurred_at=midnight + dt.timedelta(seconds=self._second, milliseconds=self.seed % 7),
            business_date=self.date,
            correlation_id=self.uuid(),
        )
        is_certificate = isinstance(data, BusinessDayClosedV1)
        self.open_count += not is_certificate
        kind = "business_day" if is_certificate else _kind_of(data)
        self.log.append(LogRow(len(self.log) + 1, registry.TOPICS[kind], body))
        return self.log[-1]

    def _assign(self, task: Task) -> None:
        data = TaskAssignedV1(
            task_id=task.task_id,
            assignee_id=task.assignee_id,
            assignment_number=task.assignment_number,
            fee_cents=task.fee_cents,
            title=task.title,
        )
        self.emit(data, str(task.task_id), task.sequence)
        self.balances[task.assignee_id] -= task.fee_cents
        self.earnings[self.date] += task.fee_cents
        self.open_fees_cents += task.fee_cents


def _kind_of(data: EventData) -> str:
    return "employee" if isinstance(data, EmployeeRegisteredV1) else "task"


@dataclass
class Broker:
    """Gives log rows the partition and offset a broker would; offsets go on between calls."""

    offsets: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))

    def publish(self, rows: list[LogRow]) -> pa.Table:
        """The records of these rows, partition by partition as a poll returns them."""
        records = []
        for row in rows:
            subject = registry.decode(row.body)[0].subject.encode()
            place = row.topic, zlib.crc32(subject) % PARTITIONS[row.topic]
            records.append(record(row.body, row.position, place, self.offsets[place], subject))
            self.offsets[place] += 1
        records.sort(key=lambda each: (each["topic"], each["partition"]))
        return pa.Table.from_pylist(records, schema=RECORDS)


def record(
    value: bytes | None,
    position: int | None,
    place: tuple[str, int] = ("tasks", 0),
    offset: int = 0,
    key: bytes | None = b"key",
) -> dict[str, object]:
    """One record as a dictionary of RECORDS."""
    return {
        "topic": place[0],
        "partition": place[1],
        "offset": offset,
        "position": position,
        "key": key,
        "value": value,
    }


def table(*records: dict[str, object]) -> pa.Table:
    """A batch of these records."""
    return pa.Table.from_pylist(list(records), schema=RECORDS)
