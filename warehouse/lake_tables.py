"""Every table of the lake and how it is kept: the one list for rebuild, upkeep and tests.

A test compares it with the tables of a new lake, so a table that is missing here is noticed.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class Keeping(Enum):
    """How upkeep treats a table's files."""

    APPENDED = "rows are added and stay: small files are merged"
    FOLDED = "several rows may stand for one: they are added up, then merged"
    REWRITTEN = "the same with few rows in all: added up and written anew as one file"
    STATE = "a row or a few that are updated in place: nothing to do"


@dataclass(frozen=True)
class LakeTable:
    """One table.

    `meaning` is a query with `{}` for the lake's name that gives what the table says, however its
    rows are spread over batches: a lake built anew must give the same rows. None: the table does
    not follow from the event log. `days` is the column of `meaning` by which a span of business
    days is cut out of it; None: it makes sense for the whole history only.
    """

    schema: str
    name: str
    keeping: Keeping
    meaning: str | None
    days: Literal["business_date", "position"] | None = None

    @property
    def full_name(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.name}"


def _whole(schema: str, name: str, days: Literal["business_date", "position"]) -> LakeTable:
    """A table whose rows mean what they say, one by one."""
    return LakeTable(schema, name, Keeping.APPENDED, f"from {{}}.{schema}.{name}", days)


TABLES = (
    _whole("raw", "events", "business_date"),
    LakeTable(
        "raw",
        "quarantine",
        Keeping.APPENDED,
        "select quarantine_id, position, topic, record, settled_as from {}.raw.quarantine"
        " where position is not null and settled_as is distinct from 'retried'",
        "position",
    ),
    _whole("ledger", "postings", "business_date"),
    LakeTable(
        "ledger",
        "account_days",
        Keeping.FOLDED,
        "select account, business_date, sum(fees_cents), sum(rewards_cents), sum(payouts_cents),"
        " sum(count_entries) from {}.ledger.account_days group by account, business_date",
        "business_date",
    ),
    _whole("ledger", "certificates", "business_date"),
    _whole("ledger", "payouts", "business_date"),
    LakeTable(
        "ledger",
        "paid_days",
        Keeping.APPENDED,
        "select business_date, count_payouts, payouts_cents from {}.ledger.paid_days",
        "business_date",
    ),
    _whole("marts", "employee_versions", "position"),
    _whole("marts", "tasks_created", "business_date"),
    LakeTable(
        "marts",
        "dearest_tasks",
        Keeping.REWRITTEN,
        "select * from {}.marts.dearest_tasks qualify row_number() over ("
        "partition by business_date order by reward_cents desc, completed_at, task_id) = 1",
        "business_date",
    ),
    LakeTable(
        "marts",
        "task_days",
        Keeping.REWRITTEN,
        "select business_date, sum(count_created), sum(count_assigned), sum(count_reassigned),"
        " sum(count_completed) from {}.marts.task_days group by business_date",
        "business_date",
    ),
    LakeTable(
        "marts",
        "finished_tasks",
        Keeping.REWRITTEN,
        "select business_date, within_hours, assignments, sum(count_tasks),"
        " sum(count_assignments), sum(seconds) from {}.marts.completions"
        " group by business_date, within_hours, assignments",
    ),
    LakeTable(
        "marts",
        "unfinished_tasks",
        Keeping.APPENDED,
        "select task_id, max(created_at), max(completed_at) from {}.marts.unfinished_tasks"
        " group by task_id having max(created_at) is null or max(completed_at) is null",
    ),
    LakeTable(
        "ops",
        "ingest_state",
        Keeping.STATE,
        "select contiguous_position, last_position from {}.ops.ingest_state",
    ),
    LakeTable("ops", "payout_state", Keeping.STATE, "select paid_through from {}.ops.payout_state"),
    # Copies of the log itself.
    LakeTable("raw", "event_log_archive", Keeping.APPENDED, None),
    LakeTable("ops", "archived_days", Keeping.APPENDED, None),
    LakeTable("ops", "archive_state", Keeping.STATE, None),
    LakeTable("ops", "check_results", Keeping.APPENDED, None),
    LakeTable("ops", "table_versions", Keeping.STATE, None),
)
FOLDED = tuple(each for each in TABLES if each.keeping is Keeping.FOLDED)
REWRITTEN = tuple(each for each in TABLES if each.keeping is Keeping.REWRITTEN)
APPENDED = tuple(each for each in TABLES if each.keeping is Keeping.APPENDED)
FOLLOWING_FROM_THE_LOG = tuple(each for each in TABLES if each.meaning is not None)
