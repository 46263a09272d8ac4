"""What should be so at a running installation but is no invariant: pure, from figures to outcomes.

An invariant (`warehouse/checks`) holds at any time or money is wrong; these depend on the clock.
"""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import msgspec

# Ingest commits within three seconds; a minute means that something is in the way.
ARRIVAL_SECONDS_MAX = 60.0
# Days are closed and paid within a few minutes after midnight.
PAID_BY = dt.time(1, 0)

EVENTS_ARRIVE = "events_arrive"
YESTERDAY_IS_PAID = "yesterday_is_closed_and_paid"
NO_RECORD_WAITS = "no_record_waits"
HOW_TO_GO_ON = (
    "`ates quarantine list` names them, `show ID` says why; then `ates quarantine retry --all` or"
    " the job `retry_quarantine`, or `ates quarantine discard ID`"
)


class Expectation(msgspec.Struct, frozen=True):
    """What is expected of an asset, as `schema.table`. `is_warning`: a person decides, no haste."""

    name: str
    asset: str
    statement: str
    is_warning: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """Whether an expectation is met, in a sentence, with the figures behind it."""

    name: str
    is_met: bool
    sentence: str
    figures: Mapping[str, int | float | str]


EXPECTATIONS = {
    each.name: each
    for each in (
        Expectation(
            EVENTS_ARRIVE,
            "raw.events",
            f"No event waits longer than {ARRIVAL_SECONDS_MAX:.0f} seconds on its way to the lake.",
        ),
        Expectation(
            YESTERDAY_IS_PAID,
            "ledger.payouts",
            f"Yesterday is closed and paid by {PAID_BY:%H:%M}, business time.",
        ),
        Expectation(
            NO_RECORD_WAITS,
            "raw.quarantine",
            "No record waits for somebody to look at it, whether the event log holds it or not.",
            is_warning=True,
        ),
    )
}


def judge_arrival(events_behind: int, oldest_seconds: float) -> Outcome:
    """Whether events arrive; `oldest_seconds` is the age of the first that has not arrived."""
    is_met = events_behind == 0 or oldest_seconds <= ARRIVAL_SECONDS_MAX
    sentence = (
        "nothing is on its way"
        if events_behind == 0
        else f"{events_behind:,} events are on their way, the oldest for {oldest_seconds:.0f} s"
    )
    figures = {"events_behind": events_behind, "oldest_seconds": round(oldest_seconds, 1)}
    return Outcome(EVENTS_ARRIVE, is_met, sentence, figures)


def judge_payday(
    *,
    first_date: dt.date | None,
    paid_through: dt.date | None,
    now: dt.datetime,
    zone: ZoneInfo,
) -> Outcome:
    """Whether the last business day that had to be paid by now is; `first_date` began it all."""
    due = _last_due_date(now.astimezone(zone))
    is_met = first_date is None or first_date > due or (paid_through or dt.date.min) >= due
    paid = "nothing is paid" if paid_through is None else f"paid through {paid_through}"
    return Outcome(
        YESTERDAY_IS_PAID,
        is_met,
        f"{paid}; {due} had to be paid by {PAID_BY:%H:%M}",
        {"paid_through": str(paid_through), "due": due.isoformat()},
    )


def judge_quarantine(count_waiting: int, count_unconfirmed: int) -> Outcome:
    """Whether nobody has to look at a record; unconfirmed ones are not in the event log."""
    is_met = count_waiting + count_unconfirmed == 0
    sentence = (
        "nothing waits"
        if is_met
        else f"{count_waiting:,} waiting, {count_unconfirmed:,} unconfirmed: {HOW_TO_GO_ON}"
    )
    figures = {"waiting": count_waiting, "unconfirmed": count_unconfirmed}
    return Outcome(NO_RECORD_WAITS, is_met, sentence, figures)


def _last_due_date(local_now: dt.datetime) -> dt.date:
    days_back = 1 if local_now.time() >= PAID_BY else 2
    return local_now.date() - dt.timedelta(days=days_back)
