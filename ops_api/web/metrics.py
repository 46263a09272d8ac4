"""What every request costs, counted by route; and a log line for each one that changes something.

The line names the correlation id that the request's events carry, so that one user action can be
followed from its click (`ates trace`).
"""

import logging
import time

from flask import Flask, Response, g, request
from prometheus_client import Histogram

from contracts import logs
from ops_api.auth.identity import actor_of
from ops_api.web.requests import SAFE_METHODS

METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
# A path or a method that we do not know is not a label: anyone can make up new ones.
UNKNOWN = "other"

REQUEST_SECONDS = Histogram(
    "ates_http_request_duration_seconds",
    "Time from the request's arrival to its answer.",
    ["method", "route", "status"],
)

logger = logging.getLogger("ates.request")


def install(app: Flask) -> None:
    """Measure every request of the app; to be installed before everything else."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else UNKNOWN
    method = request.method if request.method in METHODS else UNKNOWN
    REQUEST_SECONDS.labels(method, route, response.status_code).observe(seconds)
    if request.method not in SAFE_METHODS:
        logger.info(_line(response, seconds))
    return response


def _line(response: Response, seconds: float) -> str:
    caller = g.get("caller")
    return logs.line(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        seconds=seconds,
        actor=actor_of(caller) if caller is not None else None,
        correlation_id=g.get("correlation_id"),
        replayed=response.headers.get("Idempotent-Replayed"),
    )
