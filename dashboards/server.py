"""The dashboards as a process: `python -m dashboards.server`, one uvicorn with one event loop.

One process, because pages share their cached figures; what is slow in it waits for the lake.
"""

import logging
import time

import uvicorn
from streamlit import config

from contracts.environment import read_environment
from dashboards.asgi import create_app
from dashboards.settings import DashboardSettings, check_options

# Open pages reconnect by themselves; there is nothing to wait for when we stop.
STOP_SECONDS_MAX = 3
WEBSOCKET_BYTES_MAX = 8 * 1024 * 1024


def serve(settings: DashboardSettings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises RuntimeError when Streamlit's options are not ours."""
    app = create_app(settings)
    config.get_config_options(force_reparse=True)  # now that the app has said where its file lies
    check_options()
    uvicorn.run(
        app,
        host=settings.dashboards_host,
        port=settings.dashboards_port,
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_BYTES_MAX,
        ws_per_message_deflate=False,
        access_log=False,  # it would print whole URLs, codes of a sign-in included
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )


def main() -> None:
    """Read the environment and serve."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s.%(msecs)03dZ level=%(levelname)s logger=%(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    serve(read_environment(DashboardSettings))


if __name__ == "__main__":
    main()
