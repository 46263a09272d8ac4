"""What the tracker needs to know about its surroundings; defaults live in `ates/settings.py`."""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from ops_api.auth.rules import Lifetimes

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class TrackerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read with `contracts.environment.read_environment(TrackerSettings)`.

    `tracker_url` is the address a browser uses (its scheme decides about secure cookies). A request
    under another host than its own, those of `tracker_trusted_hosts` and loopback is refused;
    `tracker_proxies` are addresses and networks whose X-Forwarded-* headers are believed. Both are
    lists with commas.
    """

    database_url: str
    business_timezone: str = "UTC"
    tracker_url: str
    tracker_host: str
    tracker_port: Annotated[int, Meta(ge=1, le=65535)]
    dashboards_url: str
    dagster_url: str
    oidc_keys_path: str
    oidc_dashboards_secret: Annotated[str, Meta(min_length=16)]
    oidc_dagster_secret: Annotated[str, Meta(min_length=16)]
    oidc_pipelines_secret: Annotated[str, Meta(min_length=16)]
    oidc_clients: str = ""

    tracker_trusted_hosts: str = ""
    tracker_proxies: str = ""

    sign_in_link_hours: int = 24
    reset_link_minutes: int = 60

    @property
    def link_lifetimes(self) -> Lifetimes:
        """How long links to choose a password by work."""
        return Lifetimes(
            first=dt.timedelta(hours=self.sign_in_link_hours),
            reset=dt.timedelta(minutes=self.reset_link_minutes),
        )

    @property
    def hosts(self) -> frozenset[str]:
        """The host names, in lower case, by which we may be spoken to."""
        own = urlsplit(self.tracker_url).hostname or ""
        return LOOPBACK | {own, *(name.lower() for name in _listed(self.tracker_trusted_hosts))}

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The reverse proxies before us; raises ValueError for what is no address or network."""
        return tuple(map(ipaddress.ip_network, _listed(self.tracker_proxies)))

    @property
    def zone(self) -> ZoneInfo:
        """The business zone; raises ZoneInfoNotFoundError for an unknown name."""
        return ZoneInfo(self.business_timezone)

    @property
    def keys_folder(self) -> Path:
        """Where the provider's signing keys lie; it may not exist yet."""
        return Path(self.oidc_keys_path)

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


def _listed(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
