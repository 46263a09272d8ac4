"""A small world for import tests: rows as text, a mapping, a clock that stands still."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from contracts import registry
from ops_api.imports.commands import OnProgress, Options, Outcome, import_log
from ops_api.imports.mapping import Columns, Mapping, Time, Values
from ops_api.imports.reader import read_log

NOW = dt.datetime(2024, 3, 8, 12, tzinfo=dt.UTC)
MAPPING = Mapping(
    columns=Columns("ticket", "when", "who", "state"),
    values=Values(done=("done",), nobody=("", "nobody")),
    time=Time(zone="UTC"),
)


class Fact(NamedTuple):
    """One event of the log in the words of these tests."""

    type: str
    day: str
    ticket: str
    worker: str | None


def write_log(folder: Path, rows: str, name: str = "log.csv") -> Path:
    """A log from lines of `ticket,when,who,state`; spaces before a line do not count."""
    lines = [line.strip() for line in rows.strip().splitlines()]
    path = folder / name
    path.write_text("\n".join(["ticket,when,who,state", *lines, ""]), encoding="utf-8")
    return path


def run_import(
    engine: Engine,
    path: Path,
    *,
    now: dt.datetime = NOW,
    zone: str = "UTC",
    on_progress: OnProgress = lambda _written, _total, _day: None,
    **options: object,
) -> Outcome:
    """Import a log as of `now`."""
    log = read_log(path, MAPPING)
    return import_log(
        engine,
        log,
        MAPPING,
        Options(business_timezone=zone, **options),  # type: ignore[arg-type]
        clock=lambda: now,
        on_progress=on_progress,
    )


def facts(engine: Engine) -> list[Fact]:
    """All events in their order, the certificates left out; the outbox counts, too."""
    statement = text("""
        select body from (
            select position, 0 as waiting, body from event_log
            union all select outbox_id, 1, body from outbox
        ) as events order by waiting, position
    """)
    with engine.begin() as connection:
        bodies = connection.execute(statement).scalars().all()
        tickets = dict(
            connection.execute(text("select task_id::text, external_id from tasks")).all()
        )
        workers = dict(
            connection.execute(text("select employee_id::text, external_id from employees")).all()
        )
    found = []
    for body in bodies:
        envelope, data = registry.decode(body)
        if envelope.type == "business_day.closed":
            continue
        worker = (
            getattr(data, "assignee_id", None)
            or getattr(data, "employee_id", None)
            or getattr(data, "created_by", None)
        )
        found.append(
            Fact(
                envelope.type,
                envelope.businessdate.isoformat(),
                tickets.get(envelope.subject, ""),
                workers.get(str(worker)),
            )
        )
    return found


def names(connection: Connection, sql: str) -> dict[str, str]:
    """A query of two columns as a dictionary."""
    return dict(connection.execute(text(sql)).tuples().all())


def rows_of(engine: Engine, sql: str) -> list[tuple[object, ...]]:
    """What a query finds."""
    with engine.begin() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]
