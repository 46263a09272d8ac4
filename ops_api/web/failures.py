"""What a client sees when something goes wrong: a problem, or a page that helps; never a stack."""

import http
import logging
import uuid

import sqlalchemy as sa
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from ops_api.errors import BusyError, RuleViolation, TooManyTriesError
from ops_api.security_log import log_refusal
from ops_api.web import wording
from ops_api.web.answers import problem_response
from ops_api.web.guard import is_api
from ops_api.web.problems import Problem, problem, problem_of
from ops_api.web.requests import BODY_BYTES_MAX

RETRY_AFTER_SECONDS = 5
CHALLENGE = 'Bearer realm="ates"'
INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token"'
# Statuses of requests that are malformed or too large, or hold what nobody may send.
UNREADABLE = frozenset({400, 413, 414, 415, 422, 431})
DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take such a request.",
    413: f"A request may hold {BODY_BYTES_MAX} bytes.",
}

logger = logging.getLogger("ates.tracker")


def install(app: Flask) -> None:
    """Answer every kind of failure in the words of its kind."""
    app.register_error_handler(RuleViolation, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(BusyError, _busy)
    app.register_error_handler(sa.exc.TimeoutError, _database_away)
    app.register_error_handler(sa.exc.OperationalError, _database_away)
    app.register_error_handler(sa.exc.InterfaceError, _database_away)
    app.register_error_handler(Exception, _our_mistake)


def _shown(found: Problem) -> Response:
    if is_api():
        return problem_response(found)
    return Response(
        render_template(
            "problem.html",
            problem=found,
            title=wording.problem_title(found.status, found.title),
            detail=wording.refusal(found.type.rpartition(":")[2], found.detail),
        ),
        found.status,
    )


def _refused(refusal: RuleViolation) -> Response:
    _note(refusal.status, refusal.slug)
    response = _shown(problem_of(refusal))
    if refusal.status == http.HTTPStatus.UNAUTHORIZED and is_api():
        is_wrong_token = "Authorization" in request.headers
        response.headers["WWW-Authenticate"] = INVALID_TOKEN if is_wrong_token else CHALLENGE
    if isinstance(refusal, TooManyTriesError):
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    slug = error.name.lower().replace(" ", "-")
    detail = DETAILS.get(status) or error.description or error.name
    _note(status, slug)
    response = _shown(problem(status, slug, error.name, detail))
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _note(status: int, slug: str) -> None:
    """What cannot be read is on record: a program is broken, or somebody tries the doors."""
    if status in UNREADABLE:
        log_refusal("input_refused", reason=slug, method=request.method, path=request.path)


def _busy(error: BusyError) -> Response:
    return _later("busy", str(error), error.retry_after_seconds)


def _database_away(error: sa.exc.SQLAlchemyError) -> Response:
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    logger.warning("event=database_away path=%s cause=%r", request.path, cause)
    detail = "The database does not answer. Nothing was changed by half; try again in a moment."
    return _later("database-away", detail, RETRY_AFTER_SECONDS)


def _later(slug: str, detail: str, retry_after_seconds: int) -> Response:
    response = _shown(problem(503, slug, "Try again soon", detail))
    response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def _our_mistake(error: Exception) -> Response:
    incident = uuid.uuid4()
    logger.error("event=mistake incident=%s path=%s", incident, request.path, exc_info=error)
    detail = "That was our mistake, and it is written down under this number."
    return _shown(problem(500, "mistake", "Our mistake", detail, instance=f"urn:uuid:{incident}"))
