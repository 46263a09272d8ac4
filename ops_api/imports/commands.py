"""Importing a log: start it or go on with it, batch by batch, each batch one transaction.

A batch writes some days' tasks and events and closes those days, under the same lock that live
commands and the schedule's day close take. Its last statement notes how far the import has come,
so a run that was killed at any point is continued by the next one without losing or doubling a row.
"""

import contextlib
import datetime as dt
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Engine, insert, update

from ops_api import locks
from ops_api.clock import Clock
from ops_api.context import CommandContext
from ops_api.days import commands as days
from ops_api.errors import ConflictError
from ops_api.ids import uuid7
from ops_api.imports import plan as plans
from ops_api.imports.facts import Facts
from ops_api.imports.guards import require_nothing_unfinished, require_open_days
from ops_api.imports.mapping import Mapping
from ops_api.imports.models import imports
from ops_api.imports.plan import Plan, Terms
from ops_api.imports.queries import (
    ImportRecord,
    Tally,
    find_import,
    find_unfinished,
    next_date_to_close,
    task_ids_of,
)
from ops_api.imports.reader import Log
from ops_api.imports.schedule import Day, batches
from ops_api.imports.writer import Writer

# A run that was just killed leaves its lock only when its last statement has ended.
LOCK_ATTEMPTS_MAX = 20
LOCK_ATTEMPT_SECONDS = 0.5

OVERTAKEN = "ticket taken over by a live command"

# Told after every batch: moves written, moves in all, the date the import has come to.
OnProgress = Callable[[int, int, str], None]


class Options(msgspec.Struct, frozen=True):
    """What the caller asks of a new import; one that goes on keeps the terms it began with."""

    business_timezone: str
    seed: int = 0
    is_shifted_to_now: bool = False
    is_mail_wanted: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """An import after a run. `has_written` is false when it had ended before: nothing was done."""

    record: ImportRecord
    has_written: bool


@dataclass(frozen=True)
class _Run:
    record: ImportRecord
    plan: Plan
    writer: Writer
    context: CommandContext


def import_log(
    engine: Engine,
    log: Log,
    mapping: Mapping,
    options: Options,
    *,
    clock: Clock,
    on_progress: OnProgress = lambda *_: None,
) -> Outcome:
    """Import a log, or go on where an earlier run of the same import stopped.

    Raises LogError when the log makes no sense, ConflictError when its days are closed or another
    import is unfinished or running; then nothing has changed.
    """
    with engine.connect() as connection, _alone(connection):
        digests = (log.digest, hashlib.sha256(msgspec.json.encode(mapping)).hexdigest())
        with connection.begin():
            record = find_import(connection, *digests)
        if record is not None and not record.is_unfinished:
            return Outcome(record, has_written=False)
        rng = random.Random()  # noqa: S311 - makes ids unique, guards nothing
        import_id = uuid7(clock(), rng) if record is None else record.import_id
        terms = _terms(log, options, clock()) if record is None else record.terms
        facts = Facts(import_id, terms.seed, rng)
        plan = _plan(connection, log, mapping, terms, facts)
        if record is None:
            record = _start(connection, log, digests, terms, import_id, plan)
        context = _context(terms, clock, rng)
        writer = Writer(facts, plan.workers(), record.overtaken_tickets)
        _write(connection, _Run(record, plan, writer, context), on_progress)
        with connection.begin():
            finished = find_import(connection, *digests)
        assert finished is not None
        return Outcome(finished, has_written=True)


def abandon_import(engine: Engine, *, clock: Clock) -> ImportRecord | None:
    """Give up the unfinished import, if there is one: what it wrote stays, the rest never comes."""
    with engine.connect() as connection, _alone(connection), connection.begin():
        record = find_unfinished(connection)
        if record is not None:
            _change(connection, record, abandoned_at=clock())
        return record


@contextlib.contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the lock that at most one running import has."""
    for _ in range(LOCK_ATTEMPTS_MAX):
        with connection.begin():
            has_lock = locks.try_session_lock(connection, locks.IMPORT)
        if has_lock:
            break
        time.sleep(LOCK_ATTEMPT_SECONDS)
    else:
        raise ConflictError("import-running", "Another import is running; wait for its end.")
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.rollback()
            with connection.begin():
                locks.release_session_lock(connection, locks.IMPORT)


def _terms(log: Log, options: Options, now: dt.datetime) -> Terms:
    return Terms(
        seed=options.seed,
        business_timezone=options.business_timezone,
        shift_weeks=plans.shift_weeks_of(log, now) if options.is_shifted_to_now else 0,
        now=now,
        is_mail_wanted=options.is_mail_wanted,
    )


def _start(
    connection: Connection,
    log: Log,
    digests: tuple[str, str],
    terms: Terms,
    import_id: UUID,
    plan: Plan,
) -> ImportRecord:
    """Note that the import has begun, unless another is unfinished or its days are closed."""
    tally = Tally(count_rows=log.count_rows, count_refused=len(log.refusals), skipped=plan.skipped)
    with connection.begin():
        locks.take_alone(connection, locks.BUSINESS_DAY)
        require_nothing_unfinished(connection)
        require_open_days(connection, plan)
        values = {
            "import_id": import_id,
            "file_name": log.name,
            "file_digest": digests[0],
            "mapping_digest": digests[1],
            **msgspec.structs.asdict(terms),
            "count_moves_written": 0,
            "overtaken_tickets": [],
            "tally": msgspec.to_builtins(tally),
            "started_at": terms.now,
        }
        connection.execute(insert(imports).values(values))
        record = find_import(connection, *digests)
    assert record is not None
    return record


def _plan(connection: Connection, log: Log, mapping: Mapping, terms: Terms, facts: Facts) -> Plan:
    """The log's plan without the tickets that another import or file brought in before."""
    with connection.begin():
        task_ids = task_ids_of(connection, {row.ticket for row in log.rows})
    known = {ticket for ticket, task_id in task_ids.items() if task_id != facts.task_id_of(ticket)}
    return plans.make_plan(log, mapping, terms, known)


def _context(terms: Terms, clock: Clock, rng: random.Random) -> CommandContext:
    """What closes the days: nobody in person, in the zone that the import began with."""
    return CommandContext(
        actor_id=None,
        clock=clock,
        rng=rng,
        correlation_id=uuid7(clock(), rng),
        business_timezone=ZoneInfo(terms.business_timezone),
    )


def _write(connection: Connection, run: _Run, on_progress: OnProgress) -> None:
    """Write everything that is left and mark the import finished."""
    record, moves = run.record, run.plan.moves
    count_written, counts = record.count_moves_written, Counter[str]()
    with connection.begin():
        first_open_date = next_date_to_close(connection)
    for batch in batches(
        moves,
        count_written=count_written,
        first_open_date=first_open_date,
        today=record.terms.today,
    ):
        with connection.begin():
            assert batch[0].start == count_written
            counts += _write_batch(connection, run, batch)
            count_written = batch[-1].stop
            _note_progress(connection, run, count_written, counts)
        on_progress(count_written, len(moves), batch[-1].business_date.isoformat())
    with connection.begin():
        _change(connection, record, finished_at=run.context.clock())


def _write_batch(connection: Connection, run: _Run, batch: list[Day]) -> Counter[str]:
    """Write some days' state and events and close them, while no command and no close runs."""
    locks.take_alone(connection, locks.BUSINESS_DAY)
    moves = run.plan.moves
    counts = run.writer.write_state(connection, moves[batch[0].start : batch[-1].stop])
    for day in batch:
        run.writer.append_events(connection, moves[day.start : day.stop])
        if day.is_closed_after:
            # Days from before the log were lived through here, not imported.
            is_imported = day.business_date >= moves[0].business_date
            days.close_day(
                connection,
                run.context,
                day=day.business_date,
                is_mail_wanted=run.record.terms.is_mail_wanted or not is_imported,
                is_import=True,
            )
            counts["days_closed"] += 1
    return counts


def _note_progress(
    connection: Connection, run: _Run, count_written: int, counts: Counter[str]
) -> None:
    tally, skipped = run.record.tally, dict(run.record.tally.skipped)
    if counts["overtaken"]:
        skipped[OVERTAKEN] = skipped.get(OVERTAKEN, 0) + counts["overtaken"]
    changed = msgspec.structs.replace(
        tally,
        skipped=skipped,
        count_tasks=tally.count_tasks + counts["tasks"],
        count_assignments=tally.count_assignments + counts["assignments"],
        count_completions=tally.count_completions + counts["completions"],
        count_employees=tally.count_employees + counts["employees"],
        count_days_closed=tally.count_days_closed + counts["days_closed"],
    )
    _change(
        connection,
        run.record,
        count_moves_written=count_written,
        overtaken_tickets=sorted(run.writer.overtaken),
        tally=msgspec.to_builtins(changed),
    )


def _change(connection: Connection, record: ImportRecord, **values: object) -> None:
    """Change the import's row, which must still be unfinished."""
    is_unfinished = imports.c.finished_at.is_(None) & imports.c.abandoned_at.is_(None)
    statement = update(imports).where((imports.c.import_id == record.import_id) & is_unfinished)
    result = connection.execute(statement.values(values))
    assert result.rowcount == 1, "the import ended while it was running"
