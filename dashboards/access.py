"""Who is looking: the tracker's session cookie, asked about at the tracker.

Cookies ignore ports, so a browser that signed in at the tracker sends its cookie here, too, as
long as both are visited under the same host name. The tracker alone says what a cookie is worth.
"""

import time
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import requests
import streamlit as st

from contracts.environment import read_environment
from dashboards.settings import DashboardSettings
from warehouse.reading import Reader, Role

# On https the cookie has the prefix that binds it to the host; the tracker knows which it reads.
SESSION_COOKIES = ("__Host-ates_session", "ates_session")
ANSWER_SECONDS_MAX = 3
# How long a role taken away, or a sign-out at the tracker, may go unnoticed.
ROLE_CACHE_SECONDS = 3
# How long the last answer stands in for a tracker that does not answer.
SILENCE_SECONDS_MAX = 60
VIEWERS_MAX = 1_000


class Viewer(msgspec.Struct, frozen=True):
    """A signed-in employee, as the tracker describes them at this moment."""

    employee_id: UUID
    name: str
    role: Role

    @property
    def reader(self) -> Reader:
        """On whose behalf figures are read."""
        return Reader(role=self.role, employee_id=self.employee_id)


class TrackerSilentError(RuntimeError):
    """The tracker does not answer, so nobody's rights are known."""


class _Silence(msgspec.Struct, frozen=True):
    reason: str


_last_answers: OrderedDict[str, tuple[float, Viewer]] = OrderedDict()


def current_viewer() -> Viewer | None:
    """Whoever this page is shown to, or nobody. Raises TrackerSilentError."""
    return viewer_of(st.context.cookies)


def viewer_of(cookies: Mapping[str, str]) -> Viewer | None:
    """Whoever a browser with these cookies is signed in as, or nobody. Raises TrackerSilentError.

    While the tracker is silent, its last answer holds for SILENCE_SECONDS_MAX.
    """
    cookie = next((cookies[name] for name in SESSION_COOKIES if name in cookies), None)
    if not cookie:
        return None
    answer = _ask_tracker(cookie)
    if isinstance(answer, _Silence):
        asked_at, viewer = _last_answers.get(cookie, (0.0, None))
        if viewer is None or time.monotonic() - asked_at > SILENCE_SECONDS_MAX:
            raise TrackerSilentError(answer.reason)
        return viewer
    _remember(cookie, answer)
    return answer


def sign_in_url() -> str:
    """The tracker's sign-in page under the host name this page is visited by.

    Under another name the browser would not send the cookie back to us.
    """
    tracker = urlsplit(read_environment(DashboardSettings).tracker_url)
    here = urlsplit(st.context.url or "")
    if here.hostname is None:
        return f"{tracker.geturl().rstrip('/')}/login"
    host = f"[{here.hostname}]" if ":" in here.hostname else here.hostname
    port = f":{tracker.port}" if tracker.port else ""
    return f"{tracker.scheme}://{host}{port}/login"


@st.cache_resource(ttl=ROLE_CACHE_SECONDS, max_entries=VIEWERS_MAX, show_spinner=False)
def _ask_tracker(cookie: str) -> Viewer | _Silence | None:
    cookies = dict.fromkeys(SESSION_COOKIES, cookie)
    url = f"{read_environment(DashboardSettings).tracker_url.rstrip('/')}/api/v1/me"
    try:
        answer = requests.get(
            url, cookies=cookies, timeout=ANSWER_SECONDS_MAX, allow_redirects=False
        )
        if answer.status_code == requests.codes.unauthorized:
            return None
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Viewer)
    except (requests.RequestException, msgspec.DecodeError) as error:
        return _Silence(str(error))


def _remember(cookie: str, viewer: Viewer | None) -> None:
    _last_answers.pop(cookie, None)
    if viewer is not None:
        _last_answers[cookie] = (time.monotonic(), viewer)
        while len(_last_answers) > VIEWERS_MAX:
            _last_answers.popitem(last=False)
