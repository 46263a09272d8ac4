"""Who is looking: the tracker, our OpenID provider, is asked anew what a sign-in is worth.

Streamlit reads its cookie once, when a page connects, and believes it for a month. So the access
token in it is shown to the provider on every run, with a short memory: a sign-out, wherever it
happened, or a role taken away is felt within seconds, in every open tab.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from uuid import UUID

import msgspec
import requests
import streamlit as st
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_server_config import TOKENS_COOKIE_NAME

from contracts.environment import read_environment
from dashboards.settings import DashboardSettings
from warehouse.reading import Reader, Role

ANSWER_SECONDS_MAX = 3
# How long a role taken away, or a sign-out elsewhere, may go unnoticed.
ROLE_CACHE_SECONDS = 3
# How long the last answer stands in for a provider that does not answer.
SILENCE_SECONDS_MAX = 60
VIEWERS_MAX = 1_000


class Viewer(msgspec.Struct, frozen=True):
    """A signed-in employee, as the provider describes them at this moment."""

    employee_id: UUID = msgspec.field(name="sub")
    name: str
    role: Role

    @property
    def reader(self) -> Reader:
        """On whose behalf figures are read."""
        return Reader(role=self.role, employee_id=self.employee_id)


class TrackerSilentError(RuntimeError):
    """The provider does not answer, so nobody's rights are known."""


class _Silence(msgspec.Struct, frozen=True):
    reason: str


# One connection that stays open: with a new one for each question, asking cost more than drawing.
_provider = requests.Session()
_last_answers: OrderedDict[str, tuple[float, Viewer]] = OrderedDict()


def current_viewer() -> Viewer | None:
    """Whoever this page is shown to, or nobody. Raises TrackerSilentError."""
    if not st.user.is_logged_in or float(str(st.user.get("exp", 0))) <= time.time():
        return None
    return viewer_of_token(st.user.tokens["access"])


def viewer_of(cookies: Mapping[str, str]) -> Viewer | None:
    """Whoever a request with these cookies comes from, or nobody. Raises TrackerSilentError.

    For routes beside the pages. How Streamlit signs its cookies is its own affair, so its own
    reader is used; a test fails if a new version does it otherwise.
    """
    raw = starlette_websocket._get_signed_cookie_with_chunks(dict(cookies), TOKENS_COOKIE_NAME)
    token = json.loads(raw).get("access_token") if raw else None
    return viewer_of_token(token) if token else None


def viewer_of_token(token: str) -> Viewer | None:
    """Whoever holds an access token, or nobody when it is worth nothing any more.

    While the provider is silent, its last answer holds for SILENCE_SECONDS_MAX; then
    TrackerSilentError is raised.
    """
    answer = _ask_provider(token=token)
    if isinstance(answer, _Silence):
        asked_at, viewer = _last_answers.get(token, (0.0, None))
        if viewer is None or time.monotonic() - asked_at > SILENCE_SECONDS_MAX:
            raise TrackerSilentError(answer.reason)
        return viewer
    _remember(token, answer)
    return answer


@st.cache_resource(ttl=ROLE_CACHE_SECONDS, max_entries=VIEWERS_MAX, show_spinner=False)
def _ask_provider(token: str) -> Viewer | _Silence | None:
    url = f"{read_environment(DashboardSettings).tracker_url.rstrip('/')}/oauth/userinfo"
    try:
        answer = _provider.get(
            url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS_MAX,
            allow_redirects=False,
        )
        if answer.status_code == requests.codes.unauthorized:
            return None
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Viewer)
    except (requests.RequestException, msgspec.DecodeError) as error:
        return _Silence(str(error))


def _remember(token: str, viewer: Viewer | None) -> None:
    _last_answers.pop(token, None)
    if viewer is not None:
        _last_answers[token] = (time.monotonic(), viewer)
        while len(_last_answers) > VIEWERS_MAX:
            _last_answers.popitem(last=False)
