"""Mails about incidents: one when it opens, one when it is over, to everybody who is to know.

`pipelines.incidents.record` writes them; an alert's id never changes and makes its Message-ID.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import Row, text

from pipelines.incidents.kinds import KINDS
from pipelines.mail.message import build_alert
from pipelines.mail.post import Desk, Source, send_due

CLAIM = text("""
update mail.alerts as alert
set attempts = attempts + 1, claimed_until = :claimed_until
from mail.incidents as incident
where incident.incident_id = alert.incident_id and alert_id in (
    select alert_id from mail.alerts
    where sent_at is null and coalesce(claimed_until, next_attempt_at) <= :now
    order by planned_at, alert_id limit :limit for update skip locked
)
returning alert_id as mail_id, alert.incident_id, moment, email, attempts, kind, key, summary,
    opened_at, resolved_at
""")
MARK_SENT = text("""
update mail.alerts set sent_at = :now, claimed_until = null, last_error = null
where alert_id = :mail_id
""")
PUT_BACK = text("""
update mail.alerts
set next_attempt_at = :next_attempt_at, last_error = :error, claimed_until = null
where alert_id = :mail_id and attempts = :attempts and sent_at is null
""")


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed mail about an incident, with the incident as it is now."""

    mail_id: UUID
    incident_id: UUID
    moment: Literal["opened", "resolved"]
    email: str
    attempts: int
    kind: str
    key: str
    summary: str
    opened_at: dt.datetime
    resolved_at: dt.datetime | None

    def names(self) -> Mapping[str, object]:
        """Which incident, and what of it."""
        return {"incident_id": self.incident_id, "key": self.key, "moment": self.moment}

    def marks(self) -> Mapping[str, object]:
        """Nothing besides."""
        return {}


def send_alerts(desk: Desk, *, budget_seconds: float) -> int:
    """Send what is due, oldest first, for about `budget_seconds`; how many were sent."""
    return send_due(desk, ALERTS, budget_seconds=budget_seconds).count_sent


def _read(rows: Sequence[Row[Any]]) -> list[Alert]:
    return [msgspec.convert(row._mapping, Alert) for row in rows]


def _write(alert: Alert, mail_from: str, now: dt.datetime) -> EmailMessage:
    title = KINDS[alert.kind].title
    is_over = alert.moment == "resolved"
    return build_alert(
        alert_id=alert.mail_id,
        email=alert.email,
        mail_from=mail_from,
        subject=f"{'Over' if is_over else 'Trouble'}: {title}",
        text=_text(alert, title),
        now=now,
    )


def _text(alert: Alert, title: str) -> str:
    lines = [f"{title}: {alert.summary}.", "", f"Since {alert.opened_at:%Y-%m-%d %H:%M:%S} UTC."]
    if alert.moment == "resolved":
        assert alert.resolved_at is not None, alert
        lines.append(f"Over since {alert.resolved_at:%Y-%m-%d %H:%M:%S} UTC.")
    else:
        lines.append(f"What to do: {KINDS[alert.kind].page}")
    lines += ["All open incidents: ates incidents", "", f"Incident {alert.incident_id}."]
    return "\n".join(lines) + "\n"


ALERTS = Source("alert", CLAIM, MARK_SENT, PUT_BACK, _read, _write)
