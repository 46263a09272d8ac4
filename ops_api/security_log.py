"""What matters for security: a line in the log and a row that admins can read, never a secret.

A request's row is written at once in a transaction of its own, so a refusal is on record although
everything else of its request is rolled back. A database that does not answer costs the row, not
the line; so does a crowd of refusals (`refusals.py`).
"""

import datetime as dt
import logging
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import g, has_request_context, request
from sqlalchemy import Connection, text

from contracts import logs
from ops_api.auth.identity import actor_of
from ops_api.web.state import tracker

DETAIL_LENGTH_MAX = 500
KEPT = dt.timedelta(days=400)
EVENTS_MAX = 1_000_000
PURGE_EVERY = 64
PURGED_AT_ONCE_MAX = 1000

logger = logging.getLogger("ates.security")

_INSERT = text("""
insert into security_events (at, event, actor, employee_id, address, detail)
values (:at, :event, :actor, :employee_id, :address, :detail)
returning event_id
""")
_PURGE = text("""
delete from security_events where event_id in (
    select event_id from security_events where at < :before or event_id < :oldest_kept
    order by event_id limit :limit for update skip locked
)
""")


def log_security(
    event: str, *, actor: object = None, employee_id: UUID | None = None, **detail: object
) -> None:
    """Write `event=signed_in employee_id=...` and, within a request, the row that says the same.

    `actor` is who acts (when not given: the request's caller), `employee_id` whom it is about.
    Odd characters and line breaks are escaped.
    """
    _log_line(event, actor, employee_id, detail)
    if has_request_context():
        _keep(event, actor, employee_id, detail)


def log_refusal(event: str, *, actor: object = None, **detail: object) -> None:
    """The same for a request that was refused; a crowd of them leaves few rows.

    A row's `untold=57` says how many refusals since the row before it were only counted.
    """
    _log_line(event, actor, None, detail)
    count_untold = tracker().refusals.admit(event, request.remote_addr or "", tracker().clock())
    if count_untold is not None:
        _keep(event, actor, None, detail | ({"untold": count_untold} if count_untold else {}))


def record_security(
    connection: Connection,
    *,
    event: str,
    at: dt.datetime,
    actor: object = None,
    employee_id: UUID | None = None,
    address: str = "",
    **detail: object,
) -> None:
    """Write the row alone, in the transaction of what it tells of: for the command line."""
    _write(connection, _row(event, at, actor, employee_id, address, detail))


def _log_line(
    event: str, actor: object, employee_id: UUID | None, detail: dict[str, object]
) -> None:
    named = {"actor": actor, "employee_id": employee_id}
    given = {name: value for name, value in named.items() if value is not None}
    logger.info(logs.line(event, **given, **detail))


def _keep(event: str, actor: object, employee_id: UUID | None, detail: dict[str, object]) -> None:
    caller = g.get("caller")
    who = actor or (actor_of(caller) if caller else None)
    at, address = tracker().clock(), request.remote_addr or ""
    values = _row(event, at, who, employee_id, address, detail)
    try:
        tracker().read(lambda each: _write(each, values))
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        logger.warning("event=security_event_not_kept of=%s", event)


def _row(
    event: str,
    at: dt.datetime,
    actor: object,
    employee_id: UUID | None,
    address: str,
    detail: dict[str, object],
) -> dict[str, Any]:
    return {
        "at": at,
        "event": event,
        "actor": str(actor or employee_id or "nobody"),
        "employee_id": employee_id,
        "address": address,
        "detail": logs.pairs(**detail)[:DETAIL_LENGTH_MAX],
    }


def _write(connection: Connection, row: dict[str, Any]) -> None:
    event_id = connection.execute(_INSERT, row).scalar_one()
    if event_id % PURGE_EVERY == 0:
        limits = {"before": row["at"] - KEPT, "oldest_kept": event_id - EVENTS_MAX}
        connection.execute(_PURGE, limits | {"limit": PURGED_AT_ONCE_MAX})
