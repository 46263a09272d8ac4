"""The gate as a process: `python -m pipelines.gateway.server`, one uvicorn with one event loop."""

import logging

import uvicorn

from contracts import logs
from contracts.environment import read_environment
from pipelines.gateway.app import create_app
from pipelines.gateway.settings import GatewaySettings

# Pages reconnect by themselves; there is nothing to wait for when we stop.
STOP_SECONDS_MAX = 3
WEBSOCKET_BYTES_MAX = 1024 * 1024


def serve(settings: GatewaySettings) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    uvicorn.run(
        create_app(settings),
        host=settings.dagster_host,
        port=settings.dagster_port,
        ws="websockets-sansio",
        ws_max_size=WEBSOCKET_BYTES_MAX,
        ws_per_message_deflate=False,
        access_log=False,  # it would print whole URLs, codes of a sign-in included
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )


def main() -> None:
    """Read the environment and serve."""
    logs.configure()
    for name in ("httpx2", "websockets", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)  # a line a request
    serve(read_environment(GatewaySettings))


if __name__ == "__main__":
    main()
