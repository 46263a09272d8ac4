"""Writes the moves of a plan: employees, tasks in their last state, and every event, in bulk.

Everything here happens in the caller's transaction, under the business day's exclusive lock, so no
live command runs meanwhile. Between two transactions one may: a task that it changed is left to
it, and the log's later rows of that ticket are skipped and counted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from ops_api.imports import rules
from ops_api.imports.bulk import Cell, copy_rows, update_rows
from ops_api.imports.facts import Facts
from ops_api.imports.plan import Move
from ops_api.outbox.models import EVENT_COLUMNS

EMPLOYEE_COLUMNS = (
    "employee_id",
    "external_id",
    "name",
    "email",
    "role",
    "is_active",
    "version",
    "registered_at",
)
TASK_COLUMNS = (
    "task_id",
    "status",
    "assignee_id",
    "version",
    "assignment_number",
    "completed_at",
    "external_id",
    "title",
    "jira_id",
    "fee_cents",
    "reward_cents",
    "created_by",
    "created_at",
)

# Its values are the first six of TASK_COLUMNS.
_UPDATE_TASKS = """
update tasks set
    status = new.status, assignee_id = new.assignee_id::uuid, version = new.version,
    assignment_number = new.assignment_number, completed_at = new.completed_at::timestamptz
from (values %s) as new (task_id, status, assignee_id, version, assignment_number, completed_at)
where tasks.task_id = new.task_id::uuid
"""
_VERSIONS = text(
    "select task_id, version from tasks where task_id = any(cast(:task_ids as uuid[]))"
)
_EMPLOYEES = text(
    "select external_id, employee_id from employees where external_id = any(:workers)"
)
_TAKEN = text("select lower(email) from employees where lower(email) = any(:addresses)")


class Writer:
    """Knows which employee a worker is and which tickets were taken over; one per run."""

    def __init__(self, facts: Facts, workers: Sequence[str], overtaken: Iterable[str]) -> None:
        self._facts = facts
        self._addresses = rules.addresses_of(workers)
        self._employee_ids: dict[str, UUID] = {}
        self._new_addresses: dict[str, str] = {}
        self.overtaken = set(overtaken)

    def write_state(self, connection: Connection, moves: Sequence[Move]) -> Counter[str]:
        """Write employees and tasks as they are after `moves`, and count what that was.

        The events of these moves stay to be appended, day by day, by `append_events`.
        """
        self._find_overtaken(connection, moves)
        counting = [move for move in moves if move.ticket not in self.overtaken]
        self._register_workers(connection, counting)
        self._write_tasks(connection, counting)
        return Counter(
            tasks=sum(move.step.creates for move in counting),
            assignments=sum(move.step.assigns for move in counting),
            completions=sum(move.step.completes for move in counting),
            employees=len(self._new_addresses),
            overtaken=len(moves) - len(counting),
        )

    def append_events(self, connection: Connection, moves: Iterable[Move]) -> None:
        """Append the events of moves whose state is written, in order, to the outbox."""
        rows: list[Any] = []
        for move in moves:
            if move.ticket not in self.overtaken:
                address = self._new_addresses.pop(move.worker, None)
                assignee_id = self._employee_ids[move.worker]
                rows += self._facts.events_of(move, assignee_id, new_address=address)
        cells = ([row[column] for column in EVENT_COLUMNS] for row in rows)
        copy_rows(connection, "outbox", EVENT_COLUMNS, cells)

    def _find_overtaken(self, connection: Connection, moves: Sequence[Move]) -> None:
        """Tasks whose version is not what the log's earlier rows made it were changed live."""
        expected: dict[UUID, Move] = {}
        for move in moves:
            expected.setdefault(self._facts.task_id_of(move.ticket), move)
        versions = _task_versions(connection, list(expected))
        for task_id, move in expected.items():
            if versions.get(task_id, 0) != move.version_before:
                self.overtaken.add(move.ticket)

    def _register_workers(self, connection: Connection, moves: Sequence[Move]) -> None:
        firsts: dict[str, Move] = {}
        for move in moves:
            if move.worker not in self._employee_ids:
                firsts.setdefault(move.worker, move)
        known = _employee_ids(connection, list(firsts))
        self._employee_ids |= known
        new = [worker for worker in firsts if worker not in known]
        self._employee_ids |= {
            worker: self._facts.new_employee_id(firsts[worker]) for worker in new
        }
        taken = _taken_addresses(connection, [self._addresses[worker] for worker in new])
        self._new_addresses = {
            worker: rules.other_address_of(worker)
            if self._addresses[worker] in taken
            else self._addresses[worker]
            for worker in new
        }
        rows = (self._employee_row(worker, firsts[worker]) for worker in new)
        copy_rows(connection, "employees", EMPLOYEE_COLUMNS, rows)

    def _employee_row(self, worker: str, first: Move) -> tuple[Cell, ...]:
        address, employee_id = self._new_addresses[worker], self._employee_ids[worker]
        return employee_id, worker, worker, address, "worker", True, 1, first.occurred_at

    def _write_tasks(self, connection: Connection, moves: Sequence[Move]) -> None:
        created: dict[str, Move] = {}
        lasts: dict[str, Move] = {}
        for move in moves:
            if move.step.creates:
                created[move.ticket] = move
            lasts[move.ticket] = move
        rows = [
            (*self._task_state(lasts[ticket]), *self._task_origin(first))
            for ticket, first in created.items()
        ]
        copy_rows(connection, "tasks", TASK_COLUMNS, rows)
        updates = [
            self._task_state(last) for ticket, last in lasts.items() if ticket not in created
        ]
        count = update_rows(connection, _UPDATE_TASKS, updates)
        assert count == len(updates), "a task of this import is gone"

    def _task_state(self, last: Move) -> tuple[Cell, ...]:
        is_done = last.step.completes
        return (
            str(self._facts.task_id_of(last.ticket)),
            "done" if is_done else "open",
            str(self._employee_ids[last.worker]),
            last.version_after,
            last.assignment_number,
            last.occurred_at if is_done else None,
        )

    def _task_origin(self, first: Move) -> tuple[Cell, ...]:
        task = self._facts.task_of(first)
        return (
            first.ticket,
            task.title,
            task.jira_id,
            task.fee_cents,
            task.reward_cents,
            self._employee_ids[first.worker],
            first.occurred_at,
        )


def _task_versions(connection: Connection, task_ids: list[UUID]) -> dict[UUID, int]:
    rows = connection.execute(_VERSIONS, {"task_ids": list(map(str, task_ids))})
    return {row.task_id: row.version for row in rows}


def _employee_ids(connection: Connection, workers: list[str]) -> dict[str, UUID]:
    rows = connection.execute(_EMPLOYEES, {"workers": workers})
    return {row.external_id: row.employee_id for row in rows}


def _taken_addresses(connection: Connection, addresses: list[str]) -> set[str]:
    return set(connection.execute(_TAKEN, {"addresses": addresses}).scalars())
