"""A small ledger written into a lake by hand, the way the ingester leaves it: all in one commit.

`facts` keeps what was noted as plain tuples, so that a test can add them up by itself.
"""

import datetime as dt
import json
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import duckdb

Row = tuple[Any, ...]


TODAY = dt.datetime.now(dt.UTC).date()
YESTERDAY = TODAY - dt.timedelta(days=1)
BEFORE = TODAY - dt.timedelta(days=2)

WASH_TASK = UUID(int=1_000)


class Fact(NamedTuple):
    """One entry as its employee sees it."""

    entry_id: UUID
    employee_id: UUID
    date: dt.date
    kind: str
    cents: int
    title: str


class Ledger:
    """Employees, fees, rewards, payouts and certificates; `write` commits what was noted."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.position = 0
        self.rows: dict[str, list[Row]] = {}
        self.facts: list[Fact] = []
        self.tasks: dict[UUID, tuple[str, dt.date]] = {}

    def employee(
        self, number: int | UUID, name: str, role: str = "worker", *, is_active: bool = True
    ) -> UUID:
        """Register one; ids are small numbers so that a failure can be read."""
        employee_id = number if isinstance(number, UUID) else UUID(int=number)
        email = f"{number}@example.com"
        self._note(
            "marts.employee_versions",
            (employee_id, 1, None, name, email, role, is_active, self._next()),
        )
        return employee_id

    def task(
        self,
        date: dt.date,
        title: str,
        *,
        jira_id: str | None = None,
        by: UUID | None = None,
        task_id: UUID | None = None,
    ) -> UUID:
        """Create one that is assigned to nobody yet."""
        task_id = task_id or uuid4()
        self.tasks[task_id] = title, date
        row = (task_id, None, title, jira_id, 1_000, 2_000, by or UUID(int=0), _at(date), date)
        self._note("marts.tasks_created", (*row, self._next()))
        return task_id

    def fee(
        self,
        employee_id: UUID,
        date: dt.date,
        cents: int,
        task_id: UUID | None = None,
        *,
        at: dt.datetime | None = None,
    ) -> UUID:
        """Charge one; without `at` in the first minutes of the date in UTC."""
        self._note("ledger.account_days", (str(employee_id), date, -cents, 0, 0, 1))
        self._note("ledger.account_days", ("company", date, cents, 0, 0, 1))
        return self._enter("fee", "task.assigned", employee_id, date, -cents, task_id, at)

    def reward(
        self, employee_id: UUID, date: dt.date, cents: int, task_id: UUID | None = None
    ) -> UUID:
        """Credit one."""
        self._note("ledger.account_days", (str(employee_id), date, 0, cents, 0, 1))
        self._note("ledger.account_days", ("company", date, 0, -cents, 0, 1))
        return self._enter("reward", "task.completed", employee_id, date, cents, task_id)

    def pay(self, date: dt.date, amounts: dict[UUID, int]) -> None:
        """Close a day and pay it."""
        closed_at = _at(date + dt.timedelta(days=1))
        for employee_id, cents in amounts.items():
            entry_id = uuid4()
            self.facts.append(Fact(entry_id, employee_id, date, "payout", -cents, ""))
            self._note("ledger.account_days", (str(employee_id), date, 0, 0, -cents, 1))
            self._note("ledger.account_days", ("cash", date, 0, 0, cents, 1))
            self._note("ledger.payouts", (entry_id, date, employee_id, cents))
            for account, amount in ((str(employee_id), -cents), ("cash", cents)):
                leg = (entry_id, None, "payout", account, amount, date, closed_at)
                self._note("ledger.postings", (*leg, None, None, None))
        of_day = [fact for fact in self.facts if fact.date == date and fact.kind != "payout"]
        fees = -sum(fact.cents for fact in of_day if fact.kind == "fee")
        rewards = sum(fact.cents for fact in of_day if fact.kind == "reward")
        last_position, position = self.position, self._next()
        self._note(
            "ledger.certificates",
            (date, last_position, len(of_day), fees, rewards, True, position, closed_at),
        )
        self._note("ledger.paid_days", (date, len(amounts), sum(amounts.values()), closed_at))

    def write(self) -> None:
        """Commit everything noted since the last time, and how far the lake is now."""
        self.connection.begin()
        for table, rows in self.rows.items():
            places = f"({', '.join('?' for _ in rows[0])})"
            self.connection.execute(
                f"insert into lake.{table} values {', '.join(places for _ in rows)}",
                [value for row in rows for value in row],
            )
        self.connection.execute(
            "update lake.ops.ingest_state set contiguous_position = $1, last_position = $1,"
            " committed_at = now()",
            [self.position],
        )
        self.connection.commit()
        self.rows.clear()

    def _enter(
        self,
        kind: str,
        event: str,
        employee_id: UUID,
        date: dt.date,
        cents: int,
        task_id: UUID | None,
        at: dt.datetime | None = None,
    ) -> UUID:
        entry_id, position = uuid4(), self._next()
        title = self.tasks[task_id][0] if task_id else f"task {position}"
        self.facts.append(Fact(entry_id, employee_id, date, kind, cents, title))
        at = at or _at(date) + dt.timedelta(seconds=position)
        for account, amount, named in ((str(employee_id), cents, title), ("company", -cents, None)):
            leg = (entry_id, entry_id, kind, account, amount, date, at, task_id, named, position)
            self._note("ledger.postings", leg)
        data = json.dumps({"title": title})
        row = (position, entry_id, event, 1, str(task_id), 1, at, date, uuid4(), data)
        self._note("raw.events", row)
        return entry_id

    def _next(self) -> int:
        self.position += 1
        return self.position

    def _note(self, table: str, row: Row) -> None:
        self.rows.setdefault(table, []).append(row)


def _at(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(), dt.UTC)


def write_people(connection: duckdb.DuckDBPyConnection, anna_id: UUID) -> None:
    """Two employees and three days: a good one, a bad one that was paid, and today."""
    ledger = Ledger(connection)
    anna, boris = ledger.employee(anna_id, "Anna"), ledger.employee(2, "Boris", "accountant")
    wash = ledger.task(BEFORE, "=1+1 wash the cage", jira_id="POPUG-7", by=boris, task_id=WASH_TASK)
    ledger.fee(anna, BEFORE, 1_500, wash)
    ledger.fee(boris, BEFORE, 2_000)
    ledger.pay(BEFORE, {})
    ledger.reward(anna, YESTERDAY, 4_000, wash)
    ledger.fee(boris, YESTERDAY, 1_000)
    ledger.pay(YESTERDAY, {anna: 2_500})
    ledger.fee(anna, TODAY, 1_200)
    ledger.reward(boris, TODAY, 2_150)
    ledger.write()
