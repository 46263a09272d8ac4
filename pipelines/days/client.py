"""What the pipelines ask of the tracker: to close days, and to let archived ones leave its log."""

import datetime as dt
import random
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar
from uuid import uuid4

import msgspec
import requests

from pipelines.days.credentials import SERVER_ERROR_FIRST, TokenCache
from pipelines.days.errors import TrackerError, TryAgainError, reason_of
from pipelines.settings import TrackerSettings
from warehouse.crash import crash_point

DAYS = "/api/v1/business-days"
CLOSE = f"{DAYS}/close-due"
REMOVE = DAYS + "/{}/remove-archived"
CONNECT_SECONDS_MAX = 3.0
# Hundreds of missed days take the tracker a while; a Dagster tick may last 60 seconds in all.
TOTAL_SECONDS_MAX = 50.0
TRIES_MAX = 4
RETRY_SECONDS_FIRST = 0.5
# The tracker removes ten thousand rows a call.
REMOVALS_MAX = 1_000


class ClosedDay(msgspec.Struct, frozen=True):
    """The certificate of a day that this call closed; amounts in cents."""

    business_date: dt.date
    last_position: int
    count_events: int
    fees_cents: int
    rewards_cents: int


class _ClosedDays(msgspec.Struct, frozen=True):
    business_days: list[ClosedDay]


class _RemovedEvents(msgspec.Struct, frozen=True):
    count_removed: int


Answer = TypeVar("Answer", bound=msgspec.Struct)
Wait = Callable[[float], None]

_tokens = TokenCache()


def close_due_days(settings: TrackerSettings, *, wait: Wait = sleep) -> list[ClosedDay]:
    """Have all days that are over closed, oldest first; those closed now (none: nothing was due).

    Asks up to TRIES_MAX times under one Idempotency-Key. Raises TrackerError.
    """
    return _carried_out(settings, CLOSE, _ClosedDays, wait).business_days


def remove_archived(settings: TrackerSettings, day: dt.date, *, wait: Wait = sleep) -> int:
    """Have events up to the end of a day leave the log, which must be proven; how many left now.

    Ends after REMOVALS_MAX calls at the latest; what is left then goes the next time. Raises
    TrackerError.
    """
    count_removed = 0
    for _ in range(REMOVALS_MAX):
        removed = _carried_out(settings, REMOVE.format(day), _RemovedEvents, wait).count_removed
        if removed == 0:
            break
        count_removed += removed
        crash_point("between-removals")
    return count_removed


def _carried_out(
    settings: TrackerSettings, path: str, answer_type: type[Answer], wait: Wait
) -> Answer:
    key = str(uuid4())
    deadline = monotonic() + TOTAL_SECONDS_MAX
    for attempt in range(1, TRIES_MAX + 1):
        try:
            return _ask(settings, path, key, deadline - monotonic(), answer_type)
        except TryAgainError:
            delay_seconds = RETRY_SECONDS_FIRST * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
            if attempt == TRIES_MAX or monotonic() + delay_seconds >= deadline:
                raise
            wait(delay_seconds)
    raise AssertionError("the last try returns or raises")


def _ask(
    settings: TrackerSettings,
    path: str,
    key: str,
    seconds_left: float,
    answer_type: type[Answer],
) -> Answer:
    answer = _post(settings, path, key, seconds_left)
    if answer.status_code == requests.codes.unauthorized:
        _tokens.forget(settings)  # ended before its time, as after a restored database
        answer = _post(settings, path, key, seconds_left)
    if answer.status_code >= SERVER_ERROR_FIRST:
        raise TryAgainError(reason_of(answer))
    if not answer.ok:
        raise TrackerError(reason_of(answer))
    try:
        return msgspec.json.decode(answer.content, type=answer_type)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TrackerError(f"the tracker's answer is not what was agreed: {error}") from error


def _post(settings: TrackerSettings, path: str, key: str, seconds_left: float) -> requests.Response:
    headers = {"Authorization": f"Bearer {_tokens.token(settings)}", "Idempotency-Key": key}
    url = settings.tracker_url.rstrip("/") + path
    timeouts = (CONNECT_SECONDS_MAX, max(seconds_left, 1.0))
    try:
        return requests.post(url, headers=headers, json={}, timeout=timeouts)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise TryAgainError(f"the tracker does not answer: {error}") from error
