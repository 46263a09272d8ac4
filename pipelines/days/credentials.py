"""The pipelines' access token at the tracker: fetched with a secret, kept until shortly before its
end, so that a call a minute is not two.
"""

import threading
from time import monotonic

import msgspec
import requests

from pipelines.days.errors import TrackerError, TryAgainError, reason_of
from pipelines.settings import TrackerSettings

PATH = "/oauth/token"
CLIENT_ID = "pipelines"
SCOPE = "days:close"
SECONDS_MAX = 10.0
RENEWED_BEFORE_SECONDS = 60
SERVER_ERROR_FIRST = 500


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: int


class TokenCache:
    """The present token of each tracker that this process talks to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[TrackerSettings, tuple[str, float]] = {}

    def token(self, settings: TrackerSettings) -> str:
        """A token that is good for a while; raises TrackerError, TryAgainError."""
        with self._lock:
            kept, good_until = self._tokens.get(settings, ("", 0.0))
            if monotonic() < good_until:
                return kept
            fresh = _fetch(settings)
            good_until = monotonic() + fresh.expires_in - RENEWED_BEFORE_SECONDS
            self._tokens[settings] = (fresh.access_token, good_until)
            return fresh.access_token

    def forget(self, settings: TrackerSettings) -> None:
        """Fetch a new one next time: the tracker does not know the present one any more."""
        with self._lock:
            self._tokens.pop(settings, None)


def _fetch(settings: TrackerSettings) -> _Token:
    try:
        answer = requests.post(
            settings.tracker_url.rstrip("/") + PATH,
            auth=(CLIENT_ID, settings.oidc_pipelines_secret),
            data={"grant_type": "client_credentials", "scope": SCOPE},
            timeout=SECONDS_MAX,
        )
    except (requests.ConnectionError, requests.Timeout) as error:
        raise TryAgainError(f"the tracker does not answer: {error}") from error
    if answer.status_code >= SERVER_ERROR_FIRST:
        raise TryAgainError(reason_of(answer))
    if not answer.ok:
        raise TrackerError(f"no token for the pipelines: {reason_of(answer)}")
    try:
        return msgspec.json.decode(answer.content, type=_Token)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise TrackerError(f"the tracker's token is not what was agreed: {error}") from error
