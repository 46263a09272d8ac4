"""The one call of the pipelines to the tracker: close every business day that is over."""

import datetime as dt
import random
from collections.abc import Callable
from time import monotonic, sleep
from uuid import uuid4

import msgspec
import requests

from pipelines.days.credentials import SERVER_ERROR_FIRST, TokenCache
from pipelines.days.errors import TrackerError, TryAgainError, reason_of
from pipelines.settings import TrackerSettings

PATH = "/api/v1/business-days/close-due"
CONNECT_SECONDS_MAX = 3.0
# Hundreds of missed days take the tracker a while; a Dagster tick may last 60 seconds in all.
TOTAL_SECONDS_MAX = 50.0
TRIES_MAX = 4
RETRY_SECONDS_FIRST = 0.5


class ClosedDay(msgspec.Struct, frozen=True):
    """The certificate of a day that this call closed; amounts in cents."""

    business_date: dt.date
    last_position: int
    count_events: int
    fees_cents: int
    rewards_cents: int


class _Answer(msgspec.Struct, frozen=True):
    business_days: list[ClosedDay]


_tokens = TokenCache()


def close_due_days(
    settings: TrackerSettings, *, wait: Callable[[float], None] = sleep
) -> list[ClosedDay]:
    """Have all days that are over closed, oldest first; those closed now (none: nothing was due).

    Asks up to TRIES_MAX times under one Idempotency-Key. Raises TrackerError.
    """
    key = str(uuid4())
    deadline = monotonic() + TOTAL_SECONDS_MAX
    for attempt in range(1, TRIES_MAX + 1):
        try:
            return _ask(settings, key, deadline - monotonic())
        except TryAgainError:
            delay_seconds = RETRY_SECONDS_FIRST * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing
            if attempt == TRIES_MAX or monotonic() + delay_seconds >= deadline:
                raise
            wait(delay_seconds)
    raise AssertionError("the last try returns or raises")


def _ask(settings: TrackerSettings, key: str, seconds_left: float) -> list[ClosedDay]:
    answer = _post(settings, key, seconds_left)
    if answer.status_code == requests.codes.unauthorized:
        _tokens.forget(settings)  # ended before its time, as after a restored database
        answer = _post(settings, key, seconds_left)
    if answer.status_code >= SERVER_ERROR_FIRST:
        raise TryAgainError(reason_of(answer))
    if not answer.ok:
        raise TrackerError(reason_of(answer))
    try:
        return msgspec.json.decode(answer.content, type=_Answer).business_days
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TrackerError(f"the tracker's answer is not what was agreed: {error}") from error


def _post(settings: TrackerSettings, key: str, seconds_left: float) -> requests.Response:
    headers = {"Authorization": f"Bearer {_tokens.token(settings)}", "Idempotency-Key": key}
    url = settings.tracker_url.rstrip("/") + PATH
    timeouts = (CONNECT_SECONDS_MAX, max(seconds_left, 1.0))
    try:
        return requests.post(url, headers=headers, json={}, timeout=timeouts)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise TryAgainError(f"the tracker does not answer: {error}") from error
