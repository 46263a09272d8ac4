"""One business day of the company down to its entries, its certificate and who was paid; and the
story of one task. For management.

Amounts of entries are the company's: a fee comes in, a reward goes out.
"""

import datetime as dt
from typing import Literal
from uuid import UUID

import duckdb
import msgspec

from warehouse.company import CompanyDay, read_days
from warehouse.reading import MANAGEMENT, Reader, require_role, rows, snapshot, text_of
from warehouse.recent import recent_rows

ENTRIES_MAX = 1_000_000


class Certificate(msgspec.Struct, frozen=True):
    """What the tracker certified of a closed day, beside what the lake and the ledger hold of it.

    The day was paid if `paid_at` is set: every position up to the certificate had arrived then.
    """

    last_position: int
    closed_at: dt.datetime
    paid_at: dt.datetime | None
    count_events: int
    found_count_events: int
    fees_cents: int
    found_fees_cents: int
    rewards_cents: int
    found_rewards_cents: int

    @property
    def agrees(self) -> bool:
        """Whether both sides hold the same."""
        certified = (self.count_events, self.fees_cents, self.rewards_cents)
        return certified == (
            self.found_count_events, self.found_fees_cents, self.found_rewards_cents,
        )  # fmt: skip


class EmployeePayout(msgspec.Struct, frozen=True):
    """What one employee was paid; `name` is None for somebody the lake does not know yet."""

    entry_id: UUID
    name: str | None
    amount_cents: int


class CompanyEntry(msgspec.Struct, frozen=True):
    """One fee or reward of the day, with the employee whose account it moved the other way."""

    entry_id: UUID
    kind: Literal["fee", "reward", "reversal"]
    amount_cents: int
    occurred_at: dt.datetime
    employee_id: UUID
    employee: str | None
    task_id: UUID | None
    title: str | None
    jira_id: str | None


class CompanyDayDetail(msgspec.Struct, frozen=True):
    """A day, its certificate if it is closed, its payouts, and a page of its entries.

    The counts and sums of entries are those of all that match, not of the page.
    """

    day: CompanyDay
    certificate: Certificate | None
    payouts: list[EmployeePayout]
    entries: list[CompanyEntry]
    count_entries: int
    entries_cents: int


class TaskStory(msgspec.Struct, frozen=True):
    """A task from its creation on; the creator's name is None while the lake does not know it."""

    task_id: UUID
    title: str
    jira_id: str | None
    fee_cents: int
    reward_cents: int
    created_at: dt.datetime
    created_by: str | None
    total_cents: int
    entries: list[CompanyEntry]


def read_day_version(
    connection: duckdb.DuckDBPyConnection, *, reader: Reader, business_date: dt.date
) -> tuple[int, ...]:
    """What tells that a day has more to show: its entries and payouts, certificate, and names.

    Raises ReadRefusedError.
    """
    require_role(reader, MANAGEMENT)
    values = {"business_date": business_date}
    found = connection.execute(text_of("day_version"), values).fetchone()
    assert found is not None, "the query has one row"
    return tuple(found)


def read_company_day(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    business_date: dt.date,
    text: str = "",
    count_max: int = ENTRIES_MAX,
    count_skipped: int = 0,
) -> CompanyDayDetail:
    """A day, with the entries whose employee, title or Jira id holds a text, newest first.

    Raises ReadRefusedError.
    """
    require_role(reader, MANAGEMENT)
    assert 1 <= count_max <= ENTRIES_MAX
    with snapshot(connection):
        day = read_days(connection, business_date, business_date)[business_date]
        certificates = recent_rows(
            connection, Certificate, "day_certificate",
            first=business_date, business_date=business_date,
        )  # fmt: skip
        payouts = rows(connection, EmployeePayout, "company_payouts", business_date=business_date)
        entries = recent_rows(
            connection, _EntryRow, "company_entries",
            first=business_date, business_date=business_date, text=text.strip(),
            count_max=count_max, count_skipped=count_skipped,
        )  # fmt: skip
    return CompanyDayDetail(
        day=day,
        certificate=certificates[0] if certificates else None,
        payouts=payouts,
        entries=[each.entry() for each in entries],
        count_entries=entries[0].count_matching if entries else 0,
        entries_cents=entries[0].matching_cents if entries else 0,
    )


def read_task(
    connection: duckdb.DuckDBPyConnection, *, reader: Reader, task_id: UUID
) -> TaskStory | None:
    """Everything that was ever charged and credited for a task. Raises ReadRefusedError."""
    require_role(reader, MANAGEMENT)
    with snapshot(connection):
        found = rows(connection, _TaskRow, "task_created", task_id=task_id)
        if not found:
            return None
        [task] = found
        entries = rows(
            connection, _EntryRow, "task_entries", task_id=task_id, created_on=task.business_date
        )
    return TaskStory(
        task.task_id, task.title, task.jira_id, task.fee_cents, task.reward_cents,
        task.created_at, task.created_by, entries[0].matching_cents if entries else 0,
        [each.entry() for each in entries],
    )  # fmt: skip


class _EntryRow(CompanyEntry, frozen=True):
    count_matching: int
    matching_cents: int

    def entry(self) -> CompanyEntry:
        return CompanyEntry(*(getattr(self, name) for name in CompanyEntry.__struct_fields__))


class _TaskRow(msgspec.Struct, frozen=True):
    task_id: UUID
    title: str
    jira_id: str | None
    fee_cents: int
    reward_cents: int
    created_at: dt.datetime
    created_by: str | None
    business_date: dt.date
