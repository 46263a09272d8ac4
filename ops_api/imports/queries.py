"""What is known about imports and their tickets, without changing anything."""

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, func, select, text

from ops_api.days.queries import last_closed_date
from ops_api.days.rules import next_to_close
from ops_api.imports.models import imports
from ops_api.imports.plan import Terms
from ops_api.outbox.models import event_log

_TASK_IDS = text("select external_id, task_id from tasks where external_id = any(:tickets)")


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a log's rows: each is applied, skipped for a reason, or refused.

    `count_assignments` includes the first one of each task.
    """

    count_rows: int = 0
    count_refused: int = 0
    skipped: dict[str, int] = {}
    count_tasks: int = 0
    count_assignments: int = 0
    count_completions: int = 0
    count_employees: int = 0
    count_days_closed: int = 0


class ImportRecord(msgspec.Struct, frozen=True):
    """One import as its table knows it; it is unfinished while both ends are None."""

    import_id: UUID
    file_name: str
    terms: Terms
    count_moves_written: int
    overtaken_tickets: list[str]
    tally: Tally
    started_at: dt.datetime
    finished_at: dt.datetime | None
    abandoned_at: dt.datetime | None

    @property
    def is_unfinished(self) -> bool:
        """Whether rows of this log are still to be written."""
        return self.finished_at is None and self.abandoned_at is None


def find_import(
    connection: Connection, file_digest: str, mapping_digest: str
) -> ImportRecord | None:
    """The import of this very log with this mapping, whatever became of it."""
    return _one(
        connection,
        (imports.c.file_digest == file_digest) & (imports.c.mapping_digest == mapping_digest),
    )


def find_unfinished(connection: Connection) -> ImportRecord | None:
    """The import that still has rows to write; while there is one, only it closes days."""
    return _one(connection, imports.c.finished_at.is_(None) & imports.c.abandoned_at.is_(None))


def next_date_to_close(connection: Connection) -> dt.date | None:
    """The day whose turn to be closed is next, over or not; None when nothing ever happened."""
    first_with_events = connection.execute(select(func.min(event_log.c.business_date))).scalar()
    return next_to_close(last_closed_date(connection), first_with_events)


def task_ids_of(connection: Connection, tickets: Iterable[str]) -> dict[str, UUID]:
    """The tasks that tickets already have, by ticket."""
    rows = connection.execute(_TASK_IDS, {"tickets": list(tickets)})
    return {row.external_id: row.task_id for row in rows}


def _one(connection: Connection, condition: ColumnElement[bool]) -> ImportRecord | None:
    row = connection.execute(select(imports).where(condition)).mappings().one_or_none()
    if row is None:
        return None
    terms = Terms(**{name: row[name] for name in Terms.__struct_fields__})
    return ImportRecord(
        import_id=row["import_id"],
        file_name=row["file_name"],
        terms=terms,
        count_moves_written=row["count_moves_written"],
        overtaken_tickets=row["overtaken_tickets"],
        tally=msgspec.convert(row["tally"], Tally),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        abandoned_at=row["abandoned_at"],
    )
