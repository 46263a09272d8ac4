"""A small ledger written into a lake by hand, the way the ingester leaves it: all in one commit."""

import datetime as dt
from typing import Any
from uuid import UUID, uuid4

import duckdb

Row = tuple[Any, ...]


TODAY = dt.datetime.now(dt.UTC).date()
YESTERDAY = TODAY - dt.timedelta(days=1)
BEFORE = TODAY - dt.timedelta(days=2)


class Ledger:
    """Employees, fees, rewards, payouts and certificates; `write` commits what was noted."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.position = 0
        self.rows: dict[str, list[Row]] = {}

    def employee(self, number: int, name: str, role: str = "worker") -> UUID:
        """Register one; ids are small numbers so that a failure can be read."""
        employee_id = UUID(int=number)
        email = f"{number}@example.com"
        self._note(
            "marts.employee_versions",
            (employee_id, 1, None, name, email, role, True, self.position + 1),
        )
        return employee_id

    def fee(self, employee_id: UUID, date: dt.date, cents: int) -> None:
        """Charge one."""
        self._note("ledger.account_days", (str(employee_id), date, -cents, 0, 0, 1))
        self._note("ledger.account_days", ("company", date, cents, 0, 0, 1))

    def reward(self, employee_id: UUID, date: dt.date, cents: int) -> None:
        """Credit one."""
        self._note("ledger.account_days", (str(employee_id), date, 0, cents, 0, 1))
        self._note("ledger.account_days", ("company", date, 0, -cents, 0, 1))

    def pay(self, date: dt.date, amounts: dict[UUID, int]) -> None:
        """Close a day and pay it."""
        now = dt.datetime.now(dt.UTC)
        for employee_id, cents in amounts.items():
            self._note("ledger.account_days", (str(employee_id), date, 0, 0, -cents, 1))
            self._note("ledger.account_days", ("cash", date, 0, 0, cents, 1))
            self._note("ledger.payouts", (uuid4(), date, employee_id, cents))
        certificate = (date, self.position, 1, 0, 0, True, self.position + 1, now)
        self._note("ledger.certificates", certificate)
        self._note("ledger.paid_days", (date, len(amounts), sum(amounts.values()), now))

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

    def _note(self, table: str, row: Row) -> None:
        self.rows.setdefault(table, []).append(row)
        self.position += 1


def write_people(connection: duckdb.DuckDBPyConnection) -> None:
    """Two employees and three days: a good one, a bad one that was paid, and today."""
    ledger = Ledger(connection)
    anna, boris = ledger.employee(1, "Anna"), ledger.employee(2, "Boris", "accountant")
    ledger.fee(anna, BEFORE, 1_500)
    ledger.fee(boris, BEFORE, 2_000)
    ledger.pay(BEFORE, {})
    ledger.reward(anna, YESTERDAY, 4_000)
    ledger.fee(boris, YESTERDAY, 1_000)
    ledger.pay(YESTERDAY, {anna: 2_500})
    ledger.fee(anna, TODAY, 1_200)
    ledger.reward(boris, TODAY, 2_150)
    ledger.write()
