"""Asking the tracker to close days: one key, few tries, a plain error."""

import datetime as dt
import json

import pytest

from ates.embedded.process import free_port
from pipelines.days.client import CLOSE, TRIES_MAX, close_due_days, remove_archived
from pipelines.days.errors import TrackerError
from pipelines.settings import TrackerSettings
from tests.pipelines.http_stub import TOKEN, answering

CERTIFICATE = {
    "business_date": "2026-11-21",
    "last_position": 7,
    "count_events": 5,
    "fees_cents": 1000,
    "rewards_cents": 2000,
    "closed_at": "2026-11-22T00:00:01Z",
    "is_mail_wanted": True,
}
CLOSED = json.dumps({"business_days": [CERTIFICATE]}).encode()
NOTHING = b'{"business_days":[]}'


def settings(url: str) -> TrackerSettings:
    return TrackerSettings(
        tracker_url=url, oidc_pipelines_secret="a-secret-of-tests", business_timezone="UTC"
    )


def test_the_days_closed_by_the_call_are_returned() -> None:
    with answering((200, CLOSED)) as tracker:
        (day,) = close_due_days(settings(tracker.url + "/"))

    assert (day.business_date, day.count_events) == (dt.date(2026, 11, 21), 5)
    assert tracker.asked[0].path == CLOSE
    assert tracker.asked[0].headers["Authorization"] == "Bearer a-token"


def test_nothing_due_is_an_empty_answer() -> None:
    with answering((200, NOTHING)) as tracker:
        assert close_due_days(settings(tracker.url)) == []


@pytest.mark.parametrize("failure", [(503, b"{}"), (0, b"")])
def test_a_tracker_that_stumbles_is_asked_again_under_the_same_key(
    failure: tuple[int, bytes],
) -> None:
    waits: list[float] = []
    with answering(failure, failure, (200, CLOSED)) as tracker:
        assert len(close_due_days(settings(tracker.url), wait=waits.append)) == 1

    assert len({one.headers["Idempotency-Key"] for one in tracker.asked}) == 1
    assert len(tracker.asked) == 3
    assert 0 < waits[0] < waits[1] * 2


def test_tries_are_limited() -> None:
    waits: list[float] = []
    with answering((503, b"busy")) as tracker, pytest.raises(TrackerError, match="503: busy"):
        close_due_days(settings(tracker.url), wait=waits.append)

    assert len(tracker.asked) == TRIES_MAX
    assert len(waits) == TRIES_MAX - 1


def test_a_refusal_is_not_repeated() -> None:
    with answering((403, b"no")) as tracker, pytest.raises(TrackerError, match="403"):
        close_due_days(settings(tracker.url))

    assert len(tracker.asked) == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"business_days":[{"business_date":"soon"}]}']
)
def test_an_answer_that_was_not_agreed_is_an_error(body: bytes) -> None:
    with answering((200, body)) as tracker, pytest.raises(TrackerError, match="agreed"):
        close_due_days(settings(tracker.url))


def test_the_token_is_asked_for_once_and_kept() -> None:
    with answering((200, NOTHING)) as tracker:
        for _ in range(3):
            close_due_days(settings(tracker.url))

    (asked,) = tracker.asked_tokens
    assert asked.body == b"grant_type=client_credentials&scope=days%3Aclose"
    assert asked.headers["Authorization"].startswith("Basic ")


def test_a_token_near_its_end_is_renewed() -> None:
    with answering((200, NOTHING)) as tracker:
        tracker.tokens = [(200, TOKEN.replace(b"900", b"60"))]
        for _ in range(2):
            close_due_days(settings(tracker.url))

    assert len(tracker.asked_tokens) == 2


def test_a_token_that_ended_early_is_replaced_once() -> None:
    with answering((401, b"{}"), (200, CLOSED)) as tracker:
        tracker.tokens = [(200, TOKEN), (200, TOKEN.replace(b"a-token", b"another"))]
        assert len(close_due_days(settings(tracker.url))) == 1

    assert [one.headers["Authorization"] for one in tracker.asked] == [
        "Bearer a-token",
        "Bearer another",
    ]
    assert len({one.headers["Idempotency-Key"] for one in tracker.asked}) == 1


def test_a_token_that_is_never_good_is_an_error() -> None:
    with answering((401, b"no")) as tracker, pytest.raises(TrackerError, match="401"):
        close_due_days(settings(tracker.url))

    assert len(tracker.asked) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [((401, b"wrong secret"), "no token .* 401: wrong secret"), ((200, b"[]"), "agreed")],
)
def test_without_a_token_nothing_is_asked(answer: tuple[int, bytes], reason: str) -> None:
    with answering((200, NOTHING)) as tracker:
        tracker.tokens = [answer]
        with pytest.raises(TrackerError, match=reason):
            close_due_days(settings(tracker.url))

    assert tracker.asked == []


def test_a_provider_that_stumbles_is_asked_again() -> None:
    with answering((200, NOTHING)) as tracker:
        tracker.tokens = [(503, b"{}"), (200, TOKEN)]
        assert close_due_days(settings(tracker.url), wait=lambda _seconds: None) == []


def test_a_tracker_that_is_down_is_an_error() -> None:
    with pytest.raises(TrackerError, match="does not answer"):
        close_due_days(settings(f"http://127.0.0.1:{free_port()}"), wait=lambda _seconds: None)


def test_archived_events_are_removed_until_none_is_left() -> None:
    answers = [(200, b'{"count_removed":%d}' % count) for count in (10_000, 7, 0)]
    with answering(*answers) as tracker:
        assert remove_archived(settings(tracker.url), dt.date(2026, 1, 31)) == 10_007

    assert {one.path for one in tracker.asked} == {
        "/api/v1/business-days/2026-01-31/remove-archived"
    }
    assert len({one.headers["Idempotency-Key"] for one in tracker.asked}) == 3
