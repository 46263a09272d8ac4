"""What the tracker needs to know about its surroundings; defaults live in `ates/settings.py`."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta


class TrackerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read with `contracts.environment.read_environment(TrackerSettings)`.

    `tracker_url` is the address a browser uses (its scheme decides about secure cookies).
    """

    database_url: str
    business_timezone: str = "UTC"
    tracker_url: str
    tracker_host: str
    tracker_port: Annotated[int, Meta(ge=1, le=65535)]
    tracker_service_token: Annotated[str, Meta(min_length=16)]

    @property
    def zone(self) -> ZoneInfo:
        """The business zone; raises ZoneInfoNotFoundError for an unknown name."""
        return ZoneInfo(self.business_timezone)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the tracker over https."""
        return self.tracker_url.startswith("https://")


class RelaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read with `contracts.environment.read_environment(RelaySettings)`.

    The user may write to the topics and create them. Without SASL, user and password are empty.
    """

    database_url: str
    kafka_bootstrap_servers: Annotated[str, Meta(min_length=1)]
    kafka_topic_prefix: str
    kafka_task_partitions: Annotated[int, Meta(ge=1, le=1000)]
    kafka_security_protocol: Literal["SASL_PLAINTEXT", "PLAINTEXT", "SASL_SSL", "SSL"]
    kafka_sasl_mechanism: str = ""
    kafka_relay_username: str = ""
    kafka_relay_password: str = ""
