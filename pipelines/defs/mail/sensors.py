"""Plans and sends due mail at every tick; queues in PostgreSQL make any number of them safe.

Letters and alerts go first, and without the lake: somebody waits at the sign-in, and an alert may
be about the lake.
"""

from contextlib import AbstractContextManager
from time import time

import dagster as dg

from contracts.environment import read_environment
from pipelines import metrics
from pipelines.dagster_instance import is_stop_requested
from pipelines.defs.mail.assets import DELIVERIES
from pipelines.graph import LOOKED_AT_EVERY
from pipelines.mail.alerts import send_alerts
from pipelines.mail.letters import send_letters
from pipelines.mail.office import Office, RoundReport, Waiting, open_office, read_waiting
from pipelines.mail.post import Desk, open_desk
from pipelines.settings import MailSettings
from pipelines.shared import Shared
from warehouse.settings import LakeSettings

# A tick may last 60 seconds; the slowest server's last answer must fit into the rest.
SEND_SECONDS_MAX = 20.0
LETTER_SECONDS_MAX = 10.0
ALERT_SECONDS_MAX = 10.0
# Every look of the daemon, which comes every five seconds: somebody may be waiting for a link.
INTERVAL_SECONDS = 4


def _open_desk() -> AbstractContextManager[Desk]:
    return open_desk(read_environment(MailSettings), is_stop_requested)


def _open_office() -> AbstractContextManager[Office]:
    mail, lake = read_environment(MailSettings), read_environment(LakeSettings)
    return open_office(mail, lake, is_stop_requested)


DESK = Shared(_open_desk)
OFFICE = Shared(_open_office)


@dg.sensor(
    name="deliver_mail",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends letters, alerts and a mail for every payout; off, mail waits.",
)
def deliver_mail(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """One look, and a round of the mail office if need be; its cursor is when one was shown."""
    with DESK.use() as desk:
        waiting = read_waiting(desk.engine, desk.clock())
        _work_at(desk, waiting)
    now = time()
    is_shown = now - float(context.cursor or 0) < LOOKED_AT_EVERY.total_seconds()
    with OFFICE.use() as office:
        if is_shown and office.is_idle(waiting):
            metrics.MAIL_LAST_ROUND.set_to_current_time()
            return dg.SkipReason("no mail waits")
        report = office.work(budget_seconds=SEND_SECONDS_MAX)
    if is_shown and report.is_quiet:
        return dg.SkipReason(f"nothing is due; {_words(report.states)}")
    shown = dg.AssetMaterialization(DELIVERIES, metadata=_metadata(report))
    return dg.SensorResult(asset_events=[shown], cursor=f"{now:.0f}")


def _work_at(desk: Desk, waiting: Waiting) -> None:
    if waiting.letters:
        send_letters(desk, budget_seconds=LETTER_SECONDS_MAX)
    if waiting.alerts:
        send_alerts(desk, budget_seconds=ALERT_SECONDS_MAX)


def _metadata(report: RoundReport) -> dict[str, dg.MetadataValue]:
    sent = report.sent
    counts = {
        "planned": report.count_planned,
        "sent": sent.count_sent,
        "put_back": sent.count_retried,
        "newly_blocked": sent.count_blocked,
        "waiting": report.states.get("pending", 0) + report.states.get("sending", 0),
        "blocked": report.states.get("blocked", 0),
        "dagster/row_count": sum(report.states.values()),
    }
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(count) for name, count in counts.items()
    }
    metadata["seconds"] = dg.MetadataValue.float(round(sent.seconds, 3))
    if sent.last_error:
        metadata["last_error"] = dg.MetadataValue.text(sent.last_error)
    return metadata


def _words(states: dict[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no mail yet"
