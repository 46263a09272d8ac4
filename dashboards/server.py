"""The dashboards as a process: `python -m dashboards.server`, one uvicorn with one event loop.

One process, because pages share their cached figures; what is slow in it waits for the lake.
"""

import uvicorn
from streamlit import config

from contracts import logs, serving
from contracts.environment import read_environment
from dashboards.asgi import create_app
from dashboards.settings import DashboardSettings, check_options

WEBSOCKET_BYTES_MAX = 8 * 1024 * 1024


def serve(settings: DashboardSettings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises RuntimeError when Streamlit's options are not ours."""
    app = create_app(settings)
    config.get_config_options(force_reparse=True)  # now that the app has said where its file lies
    check_options()
    options = serving.uvicorn_options(
        host=settings.dashboards_host,
        port=settings.dashboards_port,
        websocket_bytes_max=WEBSOCKET_BYTES_MAX,
    )
    uvicorn.run(app, **options)


def main() -> None:
    """Read the environment and serve."""
    logs.configure(talkative=serving.TALKATIVE)
    serve(read_environment(DashboardSettings))


if __name__ == "__main__":
    main()
