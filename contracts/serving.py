"""How our asynchronous servers run: the options that each hands to uvicorn, which this never loads.

One process with one event loop each, behind no proxy but ours; its lines go where all lines go.
"""

from typing import Any

# Pages reconnect by themselves; there is nothing to wait for when a server stops.
STOP_SECONDS_MAX = 3
# What would write a line a request, some of them with whole URLs, at the level of our own lines.
TALKATIVE = ("uvicorn", "websockets", "httpx2", "streamlit")


def uvicorn_options(*, host: str, port: int, websocket_bytes_max: int) -> dict[str, Any]:
    """Keyword arguments for `uvicorn.run(application, ...)`, which ends by SIGTERM or Ctrl-C."""
    return {
        "host": host,
        "port": port,
        "ws": "websockets-sansio",
        "ws_max_size": websocket_bytes_max,
        "ws_per_message_deflate": False,
        "access_log": False,  # it would print whole URLs, codes of a sign-in included
        "log_config": None,  # `contracts.logs` has configured them
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": STOP_SECONDS_MAX,
    }
