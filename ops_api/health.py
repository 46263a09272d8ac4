"""Whether the tracker lives, whether it can do its work, and in figures how well.

`/health` is about this process alone: restart it when it does not answer. `/ready` is about its
database, too: send nobody here while it says 503. `/metrics` is for Prometheus, which signs in with
a service's token; an admin may look at it, too.
"""

import datetime as dt
from collections.abc import Iterator

from flask import Blueprint, Response
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from ops_api.days import rules
from ops_api.days.queries import find_due_day
from ops_api.outbox.queries import Backlog, read_backlog
from ops_api.web.answers import json_response
from ops_api.web.rights import allow
from ops_api.web.state import tracker

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@allow("anyone")
def get_health() -> Response:
    """200 as long as this process answers at all."""
    return json_response({"status": "alive"})


@blueprint.get("/ready")
@allow("anyone")
def get_ready() -> Response:
    """200 when the database answers; the database's silence becomes 503 like everywhere else."""
    tracker().read(lambda connection: connection.execute(text("select 1")))
    return json_response({"status": "ready"})


@blueprint.get("/metrics")
@allow("service", "admin", scope="metrics:read")
def get_metrics() -> Response:
    """This process's own figures, and how far the event log and the business days are.

    The latter are read for this very answer, so a relay or a schedule that stands still shows.
    While the database is away they are missing rather than old.
    """
    return Response(generate_latest(_Figures()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Figures:
    """The process's own figures, and those of the database as it is now."""

    def collect(self) -> Iterator[Metric]:
        """Everything, family by family."""
        yield from REGISTRY.collect()
        yield from _of_database()


def _of_database() -> Iterator[Metric]:
    name, documentation = "ates_database_is_up", "1 when the tracker's database answers."
    try:
        backlog, count_days = tracker().read(_look)
    except SQLAlchemyError:
        yield GaugeMetricFamily(name, documentation, 0)
    else:
        yield GaugeMetricFamily(name, documentation, 1)
        yield from _families(backlog, count_days, tracker().clock())


def _look(connection: Connection) -> tuple[Backlog, int]:
    due = find_due_day(connection)
    today = rules.local_date(tracker().clock(), tracker().zone)
    return read_backlog(connection), 0 if due is None else max(0, (today - due).days)


def _families(backlog: Backlog, count_days: int, now: dt.datetime) -> Iterator[Metric]:
    since = backlog.waiting_since
    waiting_seconds = 0.0 if since is None else max(0.0, (now - since).total_seconds())
    for name, documentation, value in (
        ("ates_log_last_position", "The last position given out.", backlog.last_position),
        (
            "ates_log_published_position",
            "Up to here Kafka has acknowledged the event log.",
            backlog.published_position,
        ),
        (
            "ates_outbox_events",
            "Committed events that have no position yet.",
            backlog.count_unmoved,
        ),
        (
            "ates_log_oldest_waiting_seconds",
            "How long the oldest event that is not in Kafka has waited; 0 when none waits.",
            waiting_seconds,
        ),
        (
            "ates_days_waiting_to_close",
            "Business days that are over and not closed.",
            count_days,
        ),
    ):
        yield GaugeMetricFamily(name, documentation, value)
