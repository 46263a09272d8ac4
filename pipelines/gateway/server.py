"""The gate as a process: `python -m pipelines.gateway.server`, one uvicorn with one event loop."""

import uvicorn

from contracts import logs, serving
from contracts.environment import read_environment
from pipelines.gateway.app import create_app
from pipelines.gateway.settings import GatewaySettings

WEBSOCKET_BYTES_MAX = 1024 * 1024


def serve(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    options = serving.uvicorn_options(
        host=settings.dagster_host,
        port=settings.dagster_port,
        websocket_bytes_max=WEBSOCKET_BYTES_MAX,
    )
    uvicorn.run(create_app(settings), **options)


def main() -> None:
    """Read the environment and serve."""
    logs.configure(talkative=serving.TALKATIVE)
    serve(read_environment(GatewaySettings))


if __name__ == "__main__":
    main()
