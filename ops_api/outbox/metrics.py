"""What the relay does, in figures for Prometheus; how far the log is, the tracker says.

A relay that stands still keeps its figures, so each says when its last turn was.
"""

from prometheus_client import Counter, Gauge, Histogram

IS_LEADING = Gauge(
    "ates_relay_is_leading", "1 for the relay that publishes, 0 for one that stands by."
)
IS_KAFKA_UP = Gauge("ates_relay_kafka_is_up", "1 when Kafka took the last page, 0 when it did not.")
LAST_TURN = Gauge(
    "ates_relay_last_turn_timestamp_seconds", "When the relay last asked the database for work."
)
EVENTS_SEQUENCED = Counter("ates_relay_events_sequenced", "Events that were given a position.")
EVENTS_PUBLISHED = Counter("ates_relay_events_published", "Events that Kafka has acknowledged.")
PAGE_SECONDS = Histogram(
    "ates_relay_page_duration_seconds",
    "Time from handing a page of events to Kafka until every replica has it.",
)
FAILURES = Counter("ates_relay_failures", "Failed attempts, by what failed.", ["server"])

# Both are there from the start, so that the first failure counts as an increase.
for _server in ("kafka", "database"):
    FAILURES.labels(_server)
