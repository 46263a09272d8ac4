"""What the dashboards need to know about their surroundings; defaults live in `ates`."""

import hmac
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from streamlit import config

# Options whose wrong value would cost speed, privacy or a stack trace on a page. Under an ASGI
# server Streamlit ignores its own environment variables without a word, so the file is the one way.
OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "logger.level": "warning",
    "runner.postScriptGC": False,
    "server.fileWatcherType": "none",
}


class DashboardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read with `contracts.environment.read_environment(DashboardSettings)`."""

    tracker_url: str
    database_reader_url: str
    lake_reader_url: str
    business_timezone: str
    dagster_url: str
    dashboards_url: str
    oidc_dashboards_secret: Annotated[str, Meta(min_length=16)]
    dashboards_host: str = "127.0.0.1"
    dashboards_port: Annotated[int, Meta(ge=1, le=65535)] = 8501

    @property
    def zone(self) -> ZoneInfo:
        """Where a business day begins and ends."""
        return ZoneInfo(self.business_timezone)

    @property
    def cookie_secret(self) -> str:
        """What signs Streamlit's cookies: derived, so that there is one secret to keep."""
        key = self.oidc_dashboards_secret.encode()
        return hmac.digest(key, b"cookies of the dashboards", "sha256").hex()


def check_options() -> None:
    """Raise RuntimeError when `.streamlit/config.toml` was not read."""
    for name, value in OPTIONS.items():
        if config.get_option(name) != value:
            raise RuntimeError(f"Streamlit's {name} is not {value!r}: config.toml was not read")
