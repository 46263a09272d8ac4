"""What the dashboards need to know about their surroundings; defaults live in `ates`."""

from zoneinfo import ZoneInfo

import msgspec
import streamlit as st

# Options whose wrong value would cost speed, privacy or a stack trace on a page.
OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "runner.postScriptGC": False,
}


class DashboardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Read with `contracts.environment.read_environment(DashboardSettings)`."""

    tracker_url: str
    business_timezone: str

    @property
    def zone(self) -> ZoneInfo:
        """Where a business day begins and ends."""
        return ZoneInfo(self.business_timezone)


def check_options() -> None:
    """Raise RuntimeError when `.streamlit/config.toml` was not read."""
    for name, value in OPTIONS.items():
        if st.get_option(name) != value:
            raise RuntimeError(f"Streamlit's {name} is not {value!r}: config.toml was not read")
