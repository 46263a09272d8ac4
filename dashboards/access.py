"""Who is looking: the tracker's session cookie, asked about at the tracker.

Cookies ignore ports, so a browser that signed in at the tracker sends its cookie here, too, as
long as both are visited under the same host name. The tracker alone says what a cookie is worth.
"""

from typing import Literal
from urllib.parse import urlsplit

import msgspec
import requests
import streamlit as st

from contracts.environment import read_environment
from dashboards.settings import DashboardSettings

SESSION_COOKIE = "ates_session"
ANSWER_SECONDS_MAX = 3
# How long a role taken away, or a sign-out at the tracker, may go unnoticed.
ROLE_CACHE_SECONDS = 5
MANAGEMENT = frozenset({"accountant", "admin"})


class Viewer(msgspec.Struct, frozen=True):
    """A signed-in employee, as the tracker describes them."""

    name: str
    role: Literal["worker", "manager", "accountant", "admin"]

    @property
    def may_see_company(self) -> bool:
        """Totals are for accountants and admins."""
        return self.role in MANAGEMENT


class TrackerSilentError(RuntimeError):
    """The tracker does not answer, so nobody's rights are known."""


def current_viewer() -> Viewer | None:
    """Whoever this browser is signed in as, or nobody. Raises TrackerSilentError."""
    cookie = st.context.cookies.get(SESSION_COOKIE)
    return _ask_tracker(cookie) if cookie else None


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


def require_viewer() -> Viewer:
    """Whoever is signed in; otherwise a sentence that helps, and the run ends."""
    try:
        viewer = current_viewer()
    except TrackerSilentError:
        st.warning(
            "The task tracker is not answering, so your rights cannot be checked. "
            "Please try again in a moment."
        )
        st.stop()
    if viewer is None:
        st.info("Please sign in to see this page, then come back and reload it.")
        st.link_button("Sign in", sign_in_url(), type="primary")
        st.stop()
    return viewer


def require_management() -> Viewer:
    """The viewer, if they may see the company's totals; otherwise a sentence, and the run ends."""
    viewer = require_viewer()
    if not viewer.may_see_company:
        st.info(
            f"{viewer.name}, the company's totals are for accountants and admins. "
            f"You are signed in as {viewer.role}."
        )
        st.link_button("Sign in as somebody else", sign_in_url())
        st.stop()
    return viewer


@st.cache_data(ttl=ROLE_CACHE_SECONDS, max_entries=1_000, show_spinner=False)
def _ask_tracker(cookie: str) -> Viewer | None:
    url = f"{read_environment(DashboardSettings).tracker_url.rstrip('/')}/api/v1/me"
    try:
        answer = requests.get(
            url, cookies={SESSION_COOKIE: cookie}, timeout=ANSWER_SECONDS_MAX, allow_redirects=False
        )
        if answer.status_code == requests.codes.unauthorized:
            return None
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=Viewer)
    except (requests.RequestException, msgspec.DecodeError) as error:
        raise TrackerSilentError(str(error)) from error
