"""The kinds of trouble somebody is told of, and the page of the runbooks for each."""

import msgspec

from pipelines.expectations import EVENTS_ARRIVE, NO_RECORD_WAITS, YESTERDAY_IS_PAID

RUNBOOKS = "docs/runbooks.md"


class Kind(msgspec.Struct, frozen=True):
    """One kind; `runbook` is a heading of the runbooks."""

    name: str
    title: str
    runbook: str

    @property
    def page(self) -> str:
        """Where to read what to do."""
        return f"{RUNBOOKS}#{self.runbook.lower()}"


class Symptom(msgspec.Struct, frozen=True, order=True):
    """What is wrong at the moment. One incident a key: a kind, and what it is about."""

    key: str
    kind: str
    summary: str


CHECK_FAILS = Kind("check_fails", "A check fails", "CheckFails")
DAY_NOT_PAID = Kind("day_not_paid", "Yesterday is not closed and paid", "DayNotPaid")
EVENTS_LATE = Kind("events_late", "Events do not reach the lake", "IngestStands")
FRESHNESS_OVERDUE = Kind("freshness_overdue", "Tables are not looked after", "FreshnessOverdue")
RUN_FAILED = Kind("run_failed", "A run failed", "RunFailed")
MAIL_BLOCKED = Kind("mail_blocked", "Mails cannot be delivered", "MailBlocked")
QUARANTINE_WAITS = Kind("quarantine_waits", "Records wait in quarantine", "QuarantineWaits")
LAKE_AWAY = Kind("lake_away", "The lake cannot be read", "IngestFails")
RELAY_BEHIND = Kind("relay_behind", "Events do not reach Kafka", "EventsWait")

KINDS = {
    kind.name: kind
    for kind in (
        CHECK_FAILS,
        DAY_NOT_PAID,
        EVENTS_LATE,
        FRESHNESS_OVERDUE,
        RUN_FAILED,
        MAIL_BLOCKED,
        QUARANTINE_WAITS,
        LAKE_AWAY,
        RELAY_BEHIND,
    )
}
# Checks that are a kind of their own.
KIND_OF_CHECK = {YESTERDAY_IS_PAID: DAY_NOT_PAID, EVENTS_ARRIVE: EVENTS_LATE}
# Told by the quarantine's own kind.
CHECKS_NOT_TOLD = frozenset({"quarantine_is_settled", NO_RECORD_WAITS})


def symptom(kind: Kind, summary: str, about: str = "") -> Symptom:
    """A symptom of this kind, about one thing or about the installation."""
    return Symptom(f"{kind.name}:{about}" if about else kind.name, kind.name, summary)
