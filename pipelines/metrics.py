"""What the pipelines do, in figures for Prometheus; those of a process are its own.

A figure that is looked up now and then keeps its value when nobody looks any more, so beside each
stands the time of the last look.
"""

import datetime as dt

from prometheus_client import Counter, Gauge, Histogram

from warehouse.ingest import BatchResult

INGEST_EVENTS = Counter("ates_ingest_events", "Events brought into the lake.", ["type"])
INGEST_DUPLICATES = Counter(
    "ates_ingest_duplicates", "Records dropped because they had arrived before."
)
INGEST_QUARANTINED = Counter("ates_ingest_quarantined", "Records newly put into quarantine.")
INGEST_HEALED = Counter("ates_ingest_healed", "Events that Kafka had lost, read from the log.")
INGEST_RIVALS = Counter("ates_ingest_rivals", "Times another ingester was at work.")
INGEST_FAILURES = Counter(
    "ates_ingest_window_failures", "Windows of ingest that ended in an error."
)
INGEST_BATCH_SECONDS = Histogram(
    "ates_ingest_batch_duration_seconds", "Time to stage, post and commit a batch."
)
INGEST_LAG_SECONDS = Histogram(
    "ates_ingest_lag_seconds",
    "Age of a batch's oldest event when it was committed (imported events are old).",
    buckets=(0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 3600),
)
INGEST_POSITION = Gauge("ates_ingest_contiguous_position", "Every event up to here is in the lake.")
INGEST_BEHIND = Gauge("ates_ingest_events_behind", "Published events that are not in the lake.")
INGEST_LAST_TURN = Gauge(
    "ates_ingest_last_turn_timestamp_seconds", "When ingest last took what had arrived."
)

PAYOUT_DAYS_WAITING = Gauge(
    "ates_payout_days_waiting", "Certified business days that have arrived whole and are not paid."
)
PAYOUT_FAILED_RUNS = Gauge(
    "ates_payout_failed_runs", "Payout runs that failed since the last good."
)
PAYOUT_LAST_LOOK = Gauge(
    "ates_payout_last_look_timestamp_seconds", "When due payouts were last looked for."
)

MAIL_DELIVERIES = Gauge(
    "ates_mail_deliveries", "Deliveries by state after the last round.", ["state"]
)
MAIL_OLDEST_WAITING_SECONDS = Gauge(
    "ates_mail_oldest_waiting_seconds",
    "How long the oldest delivery has waited at the last round, blocked ones not counted.",
)
MAIL_LETTER_WAITING_SECONDS = Gauge(
    "ates_mail_letter_waiting_seconds",
    "How long the oldest letter of the tracker has waited at the last round.",
)
MAIL_SENT = Counter("ates_mail_sent", "Mails that the mail server took.")
MAIL_PUT_BACK = Counter("ates_mail_put_back", "Failed attempts at a delivery.", ["outcome"])
MAIL_LAST_ROUND = Gauge(
    "ates_mail_last_round_timestamp_seconds", "When the mail office last looked for work."
)

QUARANTINE_WAITING = Gauge(
    "ates_quarantine_waiting", "Quarantined records that somebody has to look at."
)
INCIDENTS_SEEN = Gauge("ates_incidents_seen", "What was wrong at the last look.")
INCIDENTS_LAST_LOOK = Gauge(
    "ates_incidents_last_look_timestamp_seconds", "When incidents were last looked for."
)

MAIL_STATES = ("pending", "sending", "sent", "blocked")
for _outcome in ("retried", "blocked"):
    MAIL_PUT_BACK.labels(_outcome)


def count_batch(result: BatchResult) -> None:
    """Count what one committed batch brought."""
    for event_type, count in result.counts_by_type.items():
        INGEST_EVENTS.labels(event_type).inc(count)
    INGEST_DUPLICATES.inc(result.count_duplicates)
    INGEST_QUARANTINED.inc(result.count_quarantined)
    if result.count_events:
        INGEST_LAG_SECONDS.observe(result.lag_seconds)


def note_turn(contiguous_position: int, published_position: int | None) -> None:
    """Ingest is alive, and so far; the published position is None until it was looked up."""
    INGEST_LAST_TURN.set_to_current_time()
    INGEST_POSITION.set(contiguous_position)
    if published_position is not None:
        INGEST_BEHIND.set(max(0, published_position - contiguous_position))


def note_mail_round(
    counts: dict[str, int], waiting_since: dt.datetime | None, now: dt.datetime
) -> None:
    """The mail office has worked: how many deliveries are in which state, and the oldest's wait."""
    MAIL_LAST_ROUND.set_to_current_time()
    for state in MAIL_STATES:
        MAIL_DELIVERIES.labels(state).set(counts.get(state, 0))
    waiting_seconds = (now - waiting_since).total_seconds() if waiting_since else 0.0
    MAIL_OLDEST_WAITING_SECONDS.set(max(0.0, waiting_seconds))


def note_letters(waiting_since: dt.datetime | None, now: dt.datetime) -> None:
    """Letters were sent; since when the oldest that is left has waited."""
    waiting_seconds = (now - waiting_since).total_seconds() if waiting_since else 0.0
    MAIL_LETTER_WAITING_SECONDS.set(max(0.0, waiting_seconds))


def note_incidents(count_symptoms: int) -> None:
    """Trouble was looked for, and so much was found."""
    INCIDENTS_LAST_LOOK.set_to_current_time()
    INCIDENTS_SEEN.set(count_symptoms)


def note_payouts(count_days_waiting: int) -> None:
    """Due payouts were looked for, and so many days wait for theirs."""
    PAYOUT_LAST_LOOK.set_to_current_time()
    PAYOUT_DAYS_WAITING.set(count_days_waiting)
    if not count_days_waiting:
        PAYOUT_FAILED_RUNS.set(0)
