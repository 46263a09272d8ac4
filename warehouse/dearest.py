"""The dearest completed tasks: of a day, of its ISO week and of its month, each up to that day."""

import datetime as dt
from pathlib import Path
from uuid import UUID

import duckdb
import msgspec

QUERY = Path(__file__).with_name("queries") / "dearest_spans.sql"


class DearestTask(msgspec.Struct, frozen=True):
    """The task with the highest reward completed in a span (`day`, `week` or `month`)."""

    span: str
    first_date: dt.date
    last_date: dt.date
    business_date: dt.date
    task_id: UUID
    title: str
    reward_cents: int


def read_dearest_tasks(
    connection: duckdb.DuckDBPyConnection, *, today: dt.date
) -> dict[str, DearestTask]:
    """The dearest task by span; a span in which nothing was completed is absent."""
    rows = connection.execute(QUERY.read_text(encoding="utf-8"), {"today": today}).fetchall()
    return {row[0]: DearestTask(*row) for row in rows}
