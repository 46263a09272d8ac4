"""The facts that a move of a log states: what is fixed about its task, and its events."""

import random
from typing import NamedTuple
from uuid import UUID, uuid5

from contracts.events import (
    EmployeeRegisteredV1,
    EventData,
    TaskAssignedV1,
    TaskCompletedV1,
    TaskCreatedV2,
)
from contracts.upcasts import split_jira_id
from ops_api.ids import uuid7
from ops_api.imports.plan import Move
from ops_api.outbox.commands import OutboxRow, outbox_row
from ops_api.tasks.rules import draw_prices


class TaskFacts(NamedTuple):
    """What is fixed about a task at its creation."""

    task_id: UUID
    title: str
    jira_id: str | None
    fee_cents: int
    reward_cents: int


class Facts:
    """Task facts and events of one import; the same import and seed give the same facts.

    Event ids are the exception: they come from `rng`, so a move's events are made only once.
    """

    def __init__(self, import_id: UUID, seed: int, rng: random.Random) -> None:
        self._import_id = import_id
        self._seed = seed
        self._rng = rng
        self._tasks: dict[str, TaskFacts] = {}
        self._task_ids: dict[str, UUID] = {}

    def task_id_of(self, ticket: str) -> UUID:
        """The id of a ticket's task; by it a run that goes on finds the tasks it has made."""
        task_id = self._task_ids.get(ticket)
        if task_id is None:
            task_id = self._task_ids[ticket] = uuid5(self._import_id, ticket)
        return task_id

    def task_of(self, move: Move) -> TaskFacts:
        """What is fixed about the move's task.

        The prices follow the usual rule from a generator of the ticket's own, so they depend on
        seed and ticket alone, whatever else the log holds.
        """
        task = self._tasks.get(move.ticket)
        if task is None:
            jira_id, title = split_jira_id(move.title)
            rng = random.Random(f"{self._seed}/{move.ticket}")  # noqa: S311 - prices, not secrets
            prices = draw_prices(rng)
            task = TaskFacts(
                self.task_id_of(move.ticket), title, jira_id, prices.fee_cents, prices.reward_cents
            )
            self._tasks[move.ticket] = task
        return task

    def new_employee_id(self, move: Move) -> UUID:
        """An id for the worker whom this move names first."""
        return uuid7(move.occurred_at, self._rng)

    def events_of(
        self, move: Move, assignee_id: UUID, *, new_address: str | None
    ) -> list[OutboxRow]:
        """The move's events in order; with `new_address` its worker is registered first.

        One move is one action of one user: its events share a correlation id.
        """
        correlation_id = uuid7(move.occurred_at, self._rng)

        def event(data: EventData, subject: UUID, sequence: int) -> OutboxRow:
            return outbox_row(
                data,
                event_id=uuid7(move.occurred_at, self._rng),
                subject=str(subject),
                sequence=sequence,
                occurred_at=move.occurred_at,
                business_date=move.business_date,
                correlation_id=correlation_id,
            )

        events = []
        if new_address is not None:
            events.append(event(_registered(move, assignee_id, new_address), assignee_id, 1))
        task = self.task_of(move)
        for sequence, data in enumerate(
            _changes(move, task, assignee_id), start=move.version_before + 1
        ):
            events.append(event(data, task.task_id, sequence))
        return events


def _registered(move: Move, employee_id: UUID, address: str) -> EmployeeRegisteredV1:
    return EmployeeRegisteredV1(
        employee_id=employee_id,
        name=move.worker,
        email=address,
        role="worker",
        is_active=True,
        external_id=move.worker,
    )


def _changes(move: Move, task: TaskFacts, assignee_id: UUID) -> list[EventData]:
    changes: list[EventData] = []
    if move.step.creates:
        # The log does not say who wrote the ticket; its first worker is the best it knows.
        created = TaskCreatedV2(
            task_id=task.task_id,
            title=task.title,
            jira_id=task.jira_id,
            fee_cents=task.fee_cents,
            reward_cents=task.reward_cents,
            created_by=assignee_id,
            external_id=move.ticket,
        )
        changes.append(created)
    if move.step.assigns:
        assigned = TaskAssignedV1(
            task_id=task.task_id,
            assignee_id=assignee_id,
            assignment_number=move.assignment_number,
            fee_cents=task.fee_cents,
            title=task.title,
        )
        changes.append(assigned)
    if move.step.completes:
        completed = TaskCompletedV1(
            task_id=task.task_id,
            employee_id=assignee_id,
            reward_cents=task.reward_cents,
            title=task.title,
        )
        changes.append(completed)
    return changes
