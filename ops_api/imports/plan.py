"""A log turned into the moves it means, in order, before anything is written.

Nothing here reads a clock or a database: the same log, mapping and terms give the same plan, so an
import that was killed makes its plan again and goes on at the move where it stopped.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from collections.abc import Collection, Iterable

import msgspec

from ops_api.imports import rules
from ops_api.imports.mapping import Mapping
from ops_api.imports.reader import Log, LogError, LogRow

# Every calendar day between the first row and today is closed one by one.
LOG_DAYS_MAX = 20_000

FUTURE = "in the future"
KNOWN = "ticket already known"


class Terms(msgspec.Struct, frozen=True):
    """What is fixed when an import starts and stays so when it goes on later.

    `now` is UTC and decides what is future; `shift_weeks` moves every row.
    """

    seed: int
    business_timezone: str
    shift_weeks: int
    now: dt.datetime
    is_mail_wanted: bool

    @property
    def today(self) -> dt.date:
        """The business date of `now`."""
        return self.now.astimezone(zoneinfo.ZoneInfo(self.business_timezone)).date()


class Move(msgspec.Struct, frozen=True, gc=False):
    """One row that changes something; `version_before` counts the ticket's earlier events."""

    step: rules.Step
    ticket: str
    worker: str
    title: str
    occurred_at: dt.datetime
    business_date: dt.date
    version_before: int
    assignment_number: int

    @property
    def version_after(self) -> int:
        """The ticket's count of events after this move."""
        return self.version_before + self.step.count_events


class Plan(msgspec.Struct, frozen=True):
    """All moves of a log in time order, and what happens to the other rows by reason."""

    moves: list[Move]
    skipped: dict[str, int]

    def workers(self) -> list[str]:
        """Every worker in the order in which they first get a task."""
        return list(dict.fromkeys(move.worker for move in self.moves))


class _Ticket(msgspec.Struct, gc=False):
    assignee: str | None = None
    title: str = ""
    version: int = 0
    assignment_number: int = 0
    is_done: bool = False


def shift_weeks_of(log: Log, now: dt.datetime) -> int:
    """By how many weeks `--shift-to-now` moves a log; an empty log stays where it is."""
    if not log.rows:
        return 0
    return rules.shift_to(now, log.rows[-1].occurred_at) // rules.WEEK


def make_plan(log: Log, mapping: Mapping, terms: Terms, known: Collection[str] = ()) -> Plan:
    """Apply the rules to a whole log, leaving out tickets that are `known` from elsewhere.

    Raises LogError when the log would make the tracker close an absurd number of days.
    """
    nobody, done = frozenset(mapping.values.nobody), frozenset(mapping.values.done)
    tickets: dict[str, _Ticket] = {}
    moves: list[Move] = []
    skipped: Counter[str] = Counter()
    for row, occurred_at, business_date in _placed(log, terms, skipped):
        if row.ticket in known:
            skipped[KNOWN] += 1
            continue
        ticket = tickets.setdefault(row.ticket, _Ticket())
        step = rules.step_of(
            ticket.assignee,
            was_done=ticket.is_done,
            worker=row.worker,
            is_nobody=row.worker in nobody,
            is_done=row.status in done,
        )
        if step.count_events:
            moves.append(_move(ticket, step, row, occurred_at, business_date))
        else:
            skipped[step.words] += 1
    return Plan(moves=moves, skipped=dict(skipped))


def _placed(
    log: Log, terms: Terms, skipped: Counter[str]
) -> Iterable[tuple[LogRow, dt.datetime, dt.date]]:
    """Rows with their time after the shift and their business date; future ones are skipped."""
    shift = terms.shift_weeks * rules.WEEK
    zone = zoneinfo.ZoneInfo(terms.business_timezone)
    if log.rows:
        _check_span(log, terms.now - shift)
    for row in log.rows:
        occurred_at = row.occurred_at + shift
        if occurred_at > terms.now:
            skipped[FUTURE] += 1
            continue
        yield row, occurred_at, occurred_at.astimezone(zone).date()


def _check_span(log: Log, end: dt.datetime) -> None:
    first, last = log.rows[0], log.rows[-1]
    days = (end - first.occurred_at).days
    if days > LOG_DAYS_MAX:
        raise LogError(
            f"{log.name}: every day from the first row to today is closed one by one, and that is "
            f"{days:,} days (at most {LOG_DAYS_MAX:,}); are the times right of line {first.line} "
            f"({first.occurred_at.isoformat()}) and of line {last.line} "
            f"({last.occurred_at.isoformat()})?"
        )


def _move(
    ticket: _Ticket,
    step: rules.Step,
    row: LogRow,
    occurred_at: dt.datetime,
    business_date: dt.date,
) -> Move:
    """Write the row into the ticket's state and return the move it makes."""
    if step.creates:
        ticket.title = row.title
    if step.assigns:
        ticket.assignment_number += 1
        ticket.assignee = row.worker
    assert ticket.assignee == row.worker
    move = Move(
        step=step,
        ticket=row.ticket,
        worker=row.worker,
        title=ticket.title,
        occurred_at=occurred_at,
        business_date=business_date,
        version_before=ticket.version,
        assignment_number=ticket.assignment_number,
    )
    ticket.version = move.version_after
    ticket.is_done = step.completes
    return move
