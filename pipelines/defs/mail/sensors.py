"""Plans and sends due mail at every tick; queues in PostgreSQL make any number of them safe.

Letters and alerts go first, and without the lake: somebody waits at the sign-in, and an alert may
be about the lake.
"""

from contextlib import AbstractContextManager

import dagster as dg

from contracts.environment import read_environment
from pipelines.dagster_instance import is_stop_requested
from pipelines.defs.mail.assets import DELIVERIES
from pipelines.mail.alerts import send_alerts
from pipelines.mail.letters import send_letters
from pipelines.mail.office import RoundReport, open_office, work_one_round
from pipelines.mail.post import open_desk
from pipelines.mail.sending import Sender
from pipelines.settings import MailSettings
from pipelines.shared import Shared
from warehouse.settings import LakeSettings

# A tick may last 60 seconds; the slowest server's last answer must fit into the rest.
SEND_SECONDS_MAX = 20.0
LETTER_SECONDS_MAX = 10.0
ALERT_SECONDS_MAX = 10.0
# Every look of the daemon, which comes every five seconds: somebody may be waiting for a link.
INTERVAL_SECONDS = 4


def _open() -> AbstractContextManager[Sender]:
    return open_office(
        read_environment(MailSettings), read_environment(LakeSettings), is_stop_requested
    )


OFFICE = Shared(_open)
DESK = Shared(lambda: open_desk(read_environment(MailSettings)))


@dg.sensor(
    name="deliver_mail",
    minimum_interval_seconds=INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends letters, alerts and a mail for every payout; off, mail waits.",
)
def deliver_mail() -> dg.SensorResult | dg.SkipReason:
    """One round of the mail office."""
    with DESK.use() as desk:
        send_letters(desk, budget_seconds=LETTER_SECONDS_MAX)
        send_alerts(desk, budget_seconds=ALERT_SECONDS_MAX)
    with OFFICE.use() as sender:
        report = work_one_round(sender, budget_seconds=SEND_SECONDS_MAX)
    if report.is_quiet:
        return dg.SkipReason(f"nothing is due; {_words(report.states)}")
    return dg.SensorResult(
        asset_events=[dg.AssetMaterialization(DELIVERIES, metadata=_metadata(report))]
    )


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
