"""Business days over HTTP, as JSON: the schedule closes them, accountants look at them."""

import datetime as dt
from typing import Annotated

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from ops_api.auth.identity import actor_of
from ops_api.days import commands, queries
from ops_api.errors import InvalidRequestError
from ops_api.idempotency.commands import Answer, answer_once, stored_answer
from ops_api.security_log import log_security
from ops_api.web.answers import answer_response, carry_out, json_response, keyed_request
from ops_api.web.guard import caller
from ops_api.web.requests import NoBody, idempotency_key, read_json, read_query
from ops_api.web.rights import allow
from ops_api.web.state import tracker

blueprint = Blueprint("days", __name__, url_prefix="/api/v1/business-days")


class Listing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Closed days before a date, newest first."""

    before: dt.date = dt.date.max
    limit: Annotated[int, Meta(ge=1, le=queries.PAGE_DAYS_MAX)] = 31


@blueprint.get("")
@allow("accountant", "admin", "service")
def list_days() -> Response:
    """The certificates of closed days."""
    listing = read_query(Listing)
    found = tracker().read(
        lambda each: queries.newest_certificates(each, before=listing.before, limit=listing.limit)
    )
    return json_response({"business_days": found})


@blueprint.post("/close-due")
@allow("admin", "service")
def post_close_due() -> Response:
    """Close every day that is over, oldest first; answers the certificates of those it closed."""
    request = keyed_request(idempotency_key())
    read_json(NoBody)
    engine = tracker().engine
    answer = stored_answer(engine, request)
    if answer is None:
        closed = commands.close_due_days(engine, tracker().context(caller()))
        log_security("days_closed", actor=actor_of(caller()), count_days=len(closed))
        body = msgspec.json.encode({"business_days": closed}).decode()
        answer = answer_once(engine, request, lambda _: Answer(status=200, body=body))
    return answer_response(answer)


@blueprint.post("/<day>/close")
@allow("admin", "service")
def post_close(day: str) -> Response:
    """Close one day, whose turn it must be; a closed one answers its certificate again."""
    key = idempotency_key()
    read_json(NoBody)
    try:
        date = dt.date.fromisoformat(day)
    except ValueError as error:
        raise InvalidRequestError("bad-date", "A date looks like 2026-01-31.") from error
    answer = carry_out(
        key, lambda connection, context: commands.close_day(connection, context, day=date)
    )
    log_security("day_closed", actor=actor_of(caller()), day=date, status=answer.status)
    return answer_response(answer)
