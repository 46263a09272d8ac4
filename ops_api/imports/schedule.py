"""The order of an import's work: each day's moves, then the day's close, then the next day."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ops_api.imports.plan import Move

# One transaction keeps live commands waiting, so it stays well below a second.
MOVES_PER_BATCH_MAX = 1500
CLOSES_PER_BATCH_MAX = 40

ONE_DAY = dt.timedelta(days=1)


class Day(NamedTuple):
    """Moves `start` to `stop` of the plan, all of one business date, then perhaps its close."""

    business_date: dt.date
    start: int
    stop: int
    is_closed_after: bool


def batches(
    moves: Sequence[Move], *, count_written: int, first_open_date: dt.date | None, today: dt.date
) -> Iterator[list[Day]]:
    """Everything left to do after the first `count_written` moves, one transaction at a time.

    Every day before `today` is closed, also one without moves. `first_open_date` is the day to be
    closed next as the tracker sees it, None when it has no events yet.
    """
    batch: list[Day] = []
    count_moves = count_closes = 0
    for day in _days(moves, count_written, first_open_date, today):
        batch.append(day)
        count_moves += day.stop - day.start
        count_closes += day.is_closed_after
        if count_moves >= MOVES_PER_BATCH_MAX or count_closes >= CLOSES_PER_BATCH_MAX:
            yield batch
            batch, count_moves, count_closes = [], 0, 0
    if batch:
        yield batch


def _days(
    moves: Sequence[Move], start: int, first_open_date: dt.date | None, today: dt.date
) -> Iterator[Day]:
    if not moves:
        return
    next_dates = [move.business_date for move in moves[start : start + 1]]
    if first_open_date is not None:
        next_dates.append(first_open_date)
    business_date = min(next_dates)
    while business_date <= today:
        stop = start
        while stop < len(moves) and moves[stop].business_date == business_date:
            stop += 1
        while stop - start > MOVES_PER_BATCH_MAX:
            yield Day(business_date, start, start + MOVES_PER_BATCH_MAX, is_closed_after=False)
            start += MOVES_PER_BATCH_MAX
        if stop > start or business_date < today:
            yield Day(business_date, start, stop, is_closed_after=business_date < today)
        start = stop
        business_date += ONE_DAY
    assert start == len(moves), "a move lies on a closed day or after today"
