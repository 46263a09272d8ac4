"""What can go wrong between the pipelines and the tracker."""

import requests

DETAIL_LENGTH_MAX = 300


class TrackerError(Exception):
    """The tracker could not be asked, or refused; the message says what happened."""


class TryAgainError(TrackerError):
    """It may work in a moment."""


def reason_of(answer: requests.Response) -> str:
    """What the tracker said, shortened."""
    return f"the tracker answered {answer.status_code}: {answer.text[:DETAIL_LENGTH_MAX]}"
