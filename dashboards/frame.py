"""What all pages have around their figures: who looks, how fresh it is, and what went wrong.

A page is one function that draws; `live_page` calls it anew every few seconds, rights included.
"""

import datetime as dt
from collections.abc import Callable

import streamlit as st

from contracts.environment import read_environment
from dashboards.access import TrackerSilentError, Viewer, current_viewer
from dashboards.figures import read_waiting
from dashboards.languages import NAMES, _, _n, language, speaking
from dashboards.settings import DashboardSettings
from dashboards.wording import age, moment, number
from warehouse.deliveries import TrackerDatabaseSilentError
from warehouse.lake import LakeUnavailableError
from warehouse.reading import EVERYBODY, LakeState, ReadRefusedError, Role

# What a completion waits at most until an open page shows it: 0.1 for the relay, 0.6 until the
# next batch is committed, BEHIND_SECONDS_MAX of `lake.py`, this, 0.3 for drawing: 6.6 in all, and
# up to 2.5 more if it meets the pause between two windows of ingest. The median is 2.3.
REFRESH_SECONDS = 5
# Events wait a second or two on their way; longer than this is a fault that figures must tell of.
LAG_SECONDS_MAX = 30


def live_page(
    title: str, draw: Callable[[Viewer], None], *, roles: frozenset[Role] = EVERYBODY
) -> None:
    """A page for some roles: `draw` gets whoever looks and may raise what reads raise."""
    st.title(title)

    @st.fragment(run_every=REFRESH_SECONDS)
    def show() -> None:
        with speaking(language()):  # found out once, not for each text
            show_to(require_viewer())

    def show_to(viewer: Viewer) -> None:
        if viewer.role not in roles:
            _refuse(viewer, roles)
            return
        try:
            draw(viewer)
        except ReadRefusedError:
            _refuse(viewer, roles)
        except LakeUnavailableError:
            st.warning(
                _(
                    "The ledger cannot be read right now, so no figures are shown. "
                    "This page tries again every few seconds."
                )
            )

    show()


def require_viewer() -> Viewer:
    """Whoever is signed in; otherwise a sentence that helps, and the run ends."""
    try:
        viewer = current_viewer()
    except TrackerSilentError:
        st.warning(
            _(
                "The task tracker is not answering, so your rights cannot be checked. "
                "This page tries again every few seconds."
            )
        )
        st.stop()
    if viewer is None:
        st.info(_("You are being taken to the sign-in page."))
        st.login()
        st.stop()
    return viewer


def show_freshness(state: LakeState) -> bool:
    """Say of when the figures are; False, after a sentence, when there are none yet."""
    if state.last_position == 0:
        st.info(
            _(
                "No events have reached the ledger yet. As soon as somebody creates a task, "
                "its fee shows here."
            )
        )
        return False
    _show_age(state)
    return True


def _show_age(state: LakeState) -> None:
    zone = read_environment(DashboardSettings).zone
    as_of = _("Data as of {moment}, event {position}.").format(
        moment=moment(state.committed_at, zone), position=number(state.last_position)
    )
    try:
        waiting = read_waiting(state)
    except TrackerDatabaseSilentError:
        st.warning(
            as_of + " " + _("The tracker's database does not answer: there may be newer events.")
        )
        return
    if waiting.waiting_since is None:
        st.caption(as_of + " " + _("Nothing newer is waiting."))
        return
    seconds = (dt.datetime.now(dt.UTC) - waiting.waiting_since).total_seconds()
    text = _n(
        "{count} event is on its way, for {age}.",
        "{count} events are on their way, the oldest for {age}.",
        waiting.count_waiting,
    ).format(count=number(waiting.count_waiting), age=age(seconds))
    if seconds > LAG_SECONDS_MAX:
        st.warning(as_of + " " + text + " " + _("These figures are behind: ingest may be stopped."))
    else:
        st.caption(as_of + " " + text)


def show_who_is_here(viewer: Viewer) -> None:
    """The foot of the menu: name, role, the way to the tracker, languages."""
    with st.sidebar:
        st.markdown(f"**{plain(viewer.name)}**  \n{role_name(viewer.role)}")
        st.link_button(
            _("Tasks"), read_environment(DashboardSettings).tracker_url, icon=":material/checklist:"
        )
        show_languages()
        if st.button(_("Sign out"), icon=":material/logout:"):
            st.logout()
            st.stop()  # what follows would find nobody and ask for another sign-in at once


def show_languages() -> None:
    """A link for each language; the one in use is plain text."""
    here = language()
    links = [
        label
        if name == here
        else f'<a href="/language/{name}" lang="{name}" style="color: inherit">{label}</a>'
        for name, label in NAMES.items()
    ]
    st.html(" · ".join(links))


def role_name(role: Role) -> str:
    """A role as people call it."""
    names: dict[Role, str] = {
        "worker": _("worker"),
        "manager": _("manager"),
        "accountant": _("accountant"),
        "admin": _("admin"),
    }
    return names[role]


def plain(text: str) -> str:
    """Somebody's text inside Markdown, none of whose characters means anything there."""
    return "".join(f"\\{each}" if each in r"\`*_{}[]()<>#+-.!|~$:^=" else each for each in text)


def _refuse(viewer: Viewer, roles: frozenset[Role]) -> None:
    wanted = sorted(role_name(role) for role in roles)
    st.info(
        _("{name}, this page is for {roles}. You are signed in as {role}.").format(
            name=plain(viewer.name), roles=", ".join(wanted), role=role_name(viewer.role)
        )
    )
