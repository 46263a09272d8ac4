"""What the gate needs to know about its surroundings; defaults live in `ates`."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

Port = Annotated[int, Meta(ge=1, le=65535)]


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read with `contracts.environment.read_environment(GatewaySettings)`.

    `tracker_url` is how this process reaches the provider, `dagster_url` how browsers reach us.
    """

    tracker_url: str
    dagster_url: str
    dagster_host: str
    dagster_port: Port
    dagster_web_port: Port
    oidc_dagster_secret: Annotated[str, Meta(min_length=16)]
    dagster_viewers: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port by which browsers know us."""
        parts = urlsplit(self.dagster_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us over https."""
        return self.dagster_url.startswith("https://")

    @property
    def viewers(self) -> frozenset[str]:
        """The addresses of those who may look, in small letters."""
        return frozenset(self.dagster_viewers.replace(",", " ").lower().split())
