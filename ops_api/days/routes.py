"""Business days over HTTP, as JSON: the schedule closes them, accountants look at them."""

import datetime as dt
from typing import Annotated

import msgspec
from flask import Blueprint
from msgspec import Meta

from ops_api.auth.identity import actor_of
from ops_api.days import commands, queries
from ops_api.days.models import Certificate
from ops_api.errors import InvalidRequestError
from ops_api.idempotency.commands import Answer, answer_once, stored_answer
from ops_api.security_log import log_security
from ops_api.web.answers import carry_out, keyed_request
from ops_api.web.guard import caller
from ops_api.web.operations import operation
from ops_api.web.state import tracker

blueprint = Blueprint("days", __name__, url_prefix="/api/v1/business-days")


class DayListing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of closed days: those before a date, its cursor."""

    cursor: dt.date = dt.date.max
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_DAYS_MAX)] = 31


class ClosedDays(msgspec.Struct, frozen=True, kw_only=True):
    """The certificates of the days that this call closed, oldest first."""

    business_days: list[Certificate]


class DayPage(msgspec.Struct, frozen=True, kw_only=True):
    """Certificates, newest first, and the cursor with which to ask for the next ones."""

    business_days: list[Certificate]
    next_cursor: dt.date | None = None


class RemovedEvents(msgspec.Struct, frozen=True, kw_only=True):
    """How many events left the log by this call; 0 when none of the day is left."""

    count_removed: int


@blueprint.get("")
@operation("accountant", "admin", "service", scope="days:close", answer=DayPage)
def list_days(query: DayListing) -> DayPage:
    """The certificates of closed days, a page at a time."""
    found = tracker().read(
        lambda each: queries.newest_certificates(each, before=query.cursor, limit=query.limit)
    )
    is_full = len(found) == query.limit
    return DayPage(business_days=found, next_cursor=found[-1].business_date if is_full else None)


@blueprint.post("/close-due")
@operation("admin", "service", scope="days:close", answer=ClosedDays)
def post_close_due(key: str) -> Answer:
    """Close every day that is over, oldest first; answers the certificates of those it closed."""
    request = keyed_request(key)
    engine = tracker().engine
    answer = stored_answer(engine, request)
    if answer is None:
        closed = commands.close_due_days(engine, tracker().context(caller()))
        if closed:  # the schedule asks every minute, and the log is there to be read
            log_security("days_closed", actor=actor_of(caller()), count_days=len(closed))
        body = msgspec.json.encode(ClosedDays(business_days=closed)).decode()
        answer = answer_once(engine, request, lambda _: Answer(status=200, body=body))
    return answer


@blueprint.post("/<day>/close")
@operation(
    "admin",
    "service",
    scope="days:close",
    answer=Certificate,
    conflicts=("day-not-over", "nothing-to-close", "not-its-turn", "import-unfinished"),
)
def post_close(key: str, day: str) -> Answer:
    """Close one day, whose turn it must be; a closed one answers its certificate again."""
    date = _date(day)
    answer = carry_out(
        key, lambda connection, context: commands.close_day(connection, context, day=date)
    )
    log_security("day_closed", actor=actor_of(caller()), day=date, status=answer.status)
    return answer


@blueprint.post("/<day>/remove-archived")
@operation(
    "service",
    scope="days:close",
    answer=RemovedEvents,
    conflicts=("day-still-needed", "not-published"),
)
def post_remove_archived(key: str, day: str) -> Answer:
    """Let events up to the end of a day leave the log, some at a time; the archive has them."""
    date = _date(day)
    answer = carry_out(
        key,
        lambda connection, _: RemovedEvents(
            count_removed=commands.remove_archived(connection, day=date)
        ),
    )
    log_security("events_removed", actor=actor_of(caller()), day=date, status=answer.status)
    return answer


def _date(day: str) -> dt.date:
    try:
        return dt.date.fromisoformat(day)
    except ValueError as error:
        raise InvalidRequestError("bad-date", "A date looks like 2026-01-31.") from error
