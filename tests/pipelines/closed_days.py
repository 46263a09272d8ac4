"""Closed but unpaid days in a real lake, brought there through the code that ingest uses."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import uuid4

import dagster as dg
import duckdb

from contracts.events import (
    BusinessDayClosedV1,
    EmployeeRegisteredV1,
    EventData,
    TaskAssignedV1,
    TaskCompletedV1,
    TaskCreatedV2,
)
from contracts.registry import encode, topic_of
from pipelines.defs.payouts.assets import payouts
from pipelines.defs.payouts.jobs import pay_due_days_job
from pipelines.defs.payouts.sensors import RANGE_END_TAG, RANGE_START_TAG, pay_certified_days
from tests.pipelines.paid_lake import employee_id
from warehouse.ingest import LogRow, apply_missing

FEE_CENTS = 1_500
REWARD_CENTS = 4_000
EVENTS_PER_TASK = 3


@dataclass
class History:
    """A log that grows by whole days; every employee does one task a day."""

    lake: duckdb.DuckDBPyConnection
    position: int = 0
    pending: list[LogRow] = field(default_factory=list)

    def register(self, count: int, date: dt.date) -> None:
        """Employees numbered from 0; counts as `count` events of that date."""
        for number in range(count):
            person = EmployeeRegisteredV1(
                employee_id=employee_id(number),
                name=f"Employee {number}",
                email=f"e{number}@example.com",
                role="worker",
                is_active=True,
            )
            self._add("employee.registered", str(employee_id(number)), 1, date, person)

    def work(self, count: int, date: dt.date) -> None:
        """Each of `count` employees gets and completes one task: three events each."""
        for number in range(count):
            task_id, title = uuid4(), f"Task {number} of {date}"
            person = employee_id(number)
            created = TaskCreatedV2(
                task_id=task_id,
                title=title,
                fee_cents=FEE_CENTS,
                reward_cents=REWARD_CENTS,
                created_by=person,
            )
            assigned = TaskAssignedV1(
                task_id=task_id,
                assignee_id=person,
                assignment_number=1,
                fee_cents=FEE_CENTS,
                title=title,
            )
            completed = TaskCompletedV1(
                task_id=task_id, employee_id=person, reward_cents=REWARD_CENTS, title=title
            )
            self._add("task.created", str(task_id), 1, date, created)
            self._add("task.assigned", str(task_id), 2, date, assigned)
            self._add("task.completed", str(task_id), 3, date, completed)

    def close(
        self,
        date: dt.date,
        count_tasks: int,
        *,
        count_events: int | None = None,
        is_mail_wanted: bool = True,
    ) -> None:
        """The certificate of a day; right unless `count_events` says otherwise."""
        if count_events is None:
            count_events = EVENTS_PER_TASK * count_tasks
        certificate = BusinessDayClosedV1(
            business_date=date,
            last_position=self.position,
            count_events=count_events,
            fees_cents=FEE_CENTS * count_tasks,
            rewards_cents=REWARD_CENTS * count_tasks,
            is_mail_wanted=is_mail_wanted,
        )
        self._add("business_day.closed", date.isoformat(), 1, date, certificate)

    def arrive(self) -> None:
        """Bring everything so far into the lake."""
        apply_missing(self.lake, self.pending)
        self.pending.clear()

    def closed_day(self, date: dt.date, count: int, *, is_mail_wanted: bool = True) -> None:
        """A day of work with its certificate."""
        self.work(count, date)
        self.close(date, count, is_mail_wanted=is_mail_wanted)

    def _add(
        self, event_type: str, subject: str, sequence: int, date: dt.date, data: EventData
    ) -> None:
        self.position += 1
        body = encode(
            data,
            event_id=uuid4(),
            subject=subject,
            sequence=sequence,
            occurred_at=dt.datetime.combine(date, dt.time(9), dt.UTC)
            + dt.timedelta(milliseconds=self.position),
            business_date=date,
            correlation_id=uuid4(),
        )
        self.pending.append(LogRow(self.position, topic_of(event_type), body))


def tick(
    instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    """One evaluation of the sensor."""
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        result = pay_certified_days(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def run(
    instance: dg.DagsterInstance, first: str, last: str, *, raise_on_error: bool = True
) -> dg.ExecuteInProcessResult:
    """The job over a range, in this process."""
    job = dg.Definitions(assets=[payouts], jobs=[pay_due_days_job]).resolve_job_def("pay_due_days")
    return job.execute_in_process(
        instance=instance,
        tags={RANGE_START_TAG: first, RANGE_END_TAG: last},
        raise_on_error=raise_on_error,
    )
