"""Settings of trackers that tests start within their own process."""

from pathlib import Path
from typing import Any

from ops_api.settings import TrackerSettings

DASHBOARDS_URL = "http://127.0.0.1:8501"
DAGSTER_URL = "http://127.0.0.1:3000"


def tracker_settings(database_url: str, keys: Path, **others: Any) -> TrackerSettings:
    """Complete settings; `others` replace the defaults of tests."""
    defaults: dict[str, Any] = {
        "database_url": database_url,
        "tracker_url": "http://localhost",
        "tracker_host": "127.0.0.1",
        "tracker_port": 8000,
        "dashboards_url": DASHBOARDS_URL,
        "dagster_url": DAGSTER_URL,
        "oidc_keys_path": str(keys),
        "oidc_dashboards_secret": "secret-of-the-dashboards",
        "oidc_dagster_secret": "secret-of-dagster-in-tests",
        "oidc_pipelines_secret": "secret-of-the-pipelines",
    }
    return TrackerSettings(**(defaults | others))
