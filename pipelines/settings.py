"""What each part of the pipelines needs from the environment; `ates` owns all defaults.

Read one with `contracts.environment.read_environment(MailSettings)`, where it is first needed.
"""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Reading the tracker's events. Without SASL, user and password are empty."""

    kafka_bootstrap_servers: Annotated[str, Meta(min_length=1)]
    kafka_topic_prefix: str
    kafka_security_protocol: Literal["SASL_PLAINTEXT", "PLAINTEXT", "SASL_SSL", "SSL"]
    kafka_sasl_mechanism: str = ""
    kafka_ingest_username: str = ""
    kafka_ingest_password: str = ""


class IngestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The tracker's database, whose event log holds what a broker has lost."""

    database_url: str


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Telling employees of their payouts."""

    database_url: str
    smtp_url: str
    mail_from: str
    business_timezone: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which an employee reads the times of the day."""
        return ZoneInfo(self.business_timezone)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where incidents are recorded, and who is told of them."""

    database_url: str
    alert_mail_to: str = ""

    @property
    def emails(self) -> list[str]:
        """The addresses, each once; none: incidents are only recorded."""
        addresses = (each.strip() for each in self.alert_mail_to.split(","))
        return list(dict.fromkeys(each for each in addresses if each))


class ArchiveSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How many days the event log keeps before the lake's archive has them; None: for ever."""

    database_url: str
    business_timezone: str
    event_log_kept_days: int | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The zone of business dates."""
        return ZoneInfo(self.business_timezone)


class BusinessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a business day begins and ends."""

    business_timezone: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone of business dates."""
        return ZoneInfo(self.business_timezone)


class TrackerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Asking the tracker to close days."""

    tracker_url: str
    oidc_pipelines_secret: str
    business_timezone: str


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long Dagster's own history is kept."""

    dagster_database_url: str
    dagster_kept_days: Annotated[int, Meta(ge=1)]
