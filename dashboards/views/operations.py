"""Operations, for admins: what waits, what was refused, which checks hold, and where to look."""

import datetime as dt

import streamlit as st

from contracts.environment import read_environment
from dashboards.access import Viewer
from dashboards.figures import (
    read_figures,
    read_from_tracker,
    read_waiting,
    today_on_the_clock,
)
from dashboards.frame import live_page, plain
from dashboards.languages import _, _n, noted
from dashboards.settings import DashboardSettings
from dashboards.widgets import show_figure, show_table
from dashboards.wording import age, moment, number
from warehouse.deliveries import TrackerDatabaseSilentError
from warehouse.operations import LakeHealth, TrackerHealth, read_lake_health, read_tracker_health
from warehouse.reading import ADMINS
from warehouse.results import CheckResult

DAGSTER_PAGES = (
    (noted("Runs"), "runs"),
    (noted("Tables and checks"), "asset-groups"),
    (noted("Schedules and sensors"), "automation"),
)


def show_operations(viewer: Viewer) -> None:
    """The whole page."""
    health = read_figures(read_lake_health, viewer)
    try:
        tracker = read_from_tracker(read_tracker_health, viewer)
        show_flow_of_events(health, tracker)
        show_days(health, tracker)
        show_mails(tracker)
    except TrackerDatabaseSilentError:
        st.warning(
            _(
                "The tracker's database does not answer, so what waits there is not known. "
                "This page tries again every few seconds."
            )
        )
    show_checks(health)
    show_quarantine(health)
    show_links()


def show_flow_of_events(health: LakeHealth, tracker: TrackerHealth) -> None:
    """Events behind, for how long, and when ingest committed last."""
    waiting = read_waiting(health.state)
    now = dt.datetime.now(dt.UTC)
    since = waiting.waiting_since
    behind, oldest, published, committed = st.columns(4)
    show_figure(
        behind,
        _("Events behind"),
        number(waiting.count_waiting),
        help=_("Events of the tracker that the lake does not have yet."),
    )
    oldest_seconds = (now - since).total_seconds() if since else 0
    show_figure(oldest, _("Oldest waits for"), age(oldest_seconds))
    show_figure(
        published,
        _("Not yet in Kafka"),
        number(tracker.count_unpublished),
        help=_("Events of the log that the broker has not acknowledged."),
    )
    if health.state.last_position == 0:
        show_figure(committed, _("Last commit"), _("none yet"))
        return
    zone = read_environment(DashboardSettings).zone
    show_figure(
        committed,
        _("Last commit"),
        _("{age} ago").format(age=age((now - health.state.committed_at).total_seconds())),
        help=moment(health.state.committed_at, zone),
    )


def show_days(health: LakeHealth, tracker: TrackerHealth) -> None:
    """Days that wait for their close or for their payouts."""
    st.subheader(_("Business days"), anchor="days")
    count_open = tracker.count_days_open(today_on_the_clock())
    count_unpaid = health.count_days_unpaid
    closing = _n(
        "{count} day is over and not closed.", "{count} days are over and not closed.", count_open
    ).format(count=number(count_open))
    paying = _n(
        "{count} closed day is not paid.", "{count} closed days are not paid.", count_unpaid
    ).format(count=number(count_unpaid))
    if count_open or count_unpaid:
        st.warning(f"{closing} {paying}")
    else:
        st.write(_("Every day that is over is closed, and every closed day is paid."))


def show_mails(tracker: TrackerHealth) -> None:
    """Deliveries that wait or fail."""
    st.subheader(_("E-mails"), anchor="mails")
    mails = tracker.mails
    if not mails.count_waiting and not mails.count_blocked:
        st.write(_("No e-mail waits and none has failed."))
        return
    text = _("{waiting} wait, {failing} of them were tried in vain; {blocked} cannot be sent.")
    st.warning(
        text.format(
            waiting=number(mails.count_waiting),
            failing=number(mails.count_failing),
            blocked=number(mails.count_blocked),
        )
    )
    if mails.last_error:
        st.write(_("The last error: {error}").format(error=plain(mails.last_error)))


def show_checks(health: LakeHealth) -> None:
    """Every invariant with its last result."""
    st.subheader(_("Checks"), anchor="checks")
    if not health.checks:
        st.info(_("No check has run yet. `ates verify` runs them all."))
        return
    failing = health.failing
    if failing:
        st.error(
            _n("{count} check does not hold.", "{count} checks do not hold.", len(failing)).format(
                count=number(len(failing))
            )
        )
    else:
        st.write(
            _n("{count} check holds.", "All {count} checks hold.", len(health.checks)).format(
                count=number(len(health.checks))
            )
        )
    zone = read_environment(DashboardSettings).zone
    table = {
        _("Result"): [result_of(one) for one in health.checks],
        _("Check"): [one.name.replace("_", " ") for one in health.checks],
        _("Ran at"): [moment(one.checked_at, zone) for one in health.checks],
        _("By"): [one.checked_by for one in health.checks],
    }
    if failing:
        table[_("For instance")] = [one.sample for one in health.checks]
    # The longest last: a table is cut at its right.
    table[_("What it says")] = [_(one.statement) for one in health.checks]
    show_table(table, alt=_("Checks and their last results, failing ones first"))


def result_of(check: CheckResult) -> str:
    """What came of it, in words."""
    if not check.holds:
        return _("✗ {count} offending").format(count=number(check.count_offending))
    return _("✓ holds, failed before") if check.failed_at else _("✓ holds")


def show_quarantine(health: LakeHealth) -> None:
    """Records that could not be read: why, and the newest."""
    st.subheader(_("Quarantine"), anchor="quarantine")
    if not health.quarantine:
        st.write(_("No record waits in quarantine."))
        return
    st.warning(
        _n(
            "{count} record could not be read.",
            "{count} records could not be read.",
            health.count_quarantined,
        ).format(count=number(health.count_quarantined))
    )
    zone = read_environment(DashboardSettings).zone
    show_table(
        {
            _("Reason"): [one.reason for one in health.quarantine],
            _("Records"): [one.count_records for one in health.quarantine],
            _("Newest"): [moment(one.newest_at, zone) for one in health.quarantine],
        },
        alt=_("Reasons for quarantine"),
    )
    show_table(
        {
            _("Received"): [moment(one.received_at, zone) for one in health.newest],
            _("Topic"): [one.topic for one in health.newest],
            _("Position"): [one.position for one in health.newest],
            _("Reason"): [one.reason for one in health.newest],
            _("Detail"): [one.detail for one in health.newest],
            _("Id"): [str(one.quarantine_id) for one in health.newest],
        },
        alt=_("The newest records in quarantine"),
    )


def show_links() -> None:
    """The ways into Dagster."""
    st.subheader(_("Dagster"), anchor="dagster")
    base = read_environment(DashboardSettings).dagster_url.rstrip("/")
    for column, (name, path) in zip(st.columns(len(DAGSTER_PAGES)), DAGSTER_PAGES, strict=True):
        column.link_button(_(name), f"{base}/{path}", width="stretch")


live_page(_("Operations"), show_operations, roles=ADMINS)
