"""The tracker as a process: granian in front, one worker with a few threads behind.

One worker, because the work is the database's: threads wait for it together, and a second worker
would only double the memory. A worker that dies is replaced; a worker whose server was killed ends
too, so that no orphan keeps the port.
"""

import os
import threading
import time
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from contracts import logs
from contracts.environment import read_environment
from ops_api.settings import TrackerSettings

if TYPE_CHECKING:
    from flask import Flask

APPLICATION = "ops_api.server:application"
THREADS = 8
BACKLOG = 1024
RESPAWN_SECONDS = 0.5
STOP_SECONDS_MAX = 10
ORPHAN_CHECK_SECONDS = 1.0


def serve(settings: TrackerSettings, application_name: str = APPLICATION) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are finished first.

    `application_name` is the `module:function` that makes the application in the worker.
    """
    Granian(
        application_name,
        address=settings.tracker_host,
        port=settings.tracker_port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        websockets=False,
        respawn_failed_workers=True,
        respawn_interval=RESPAWN_SECONDS,
        workers_kill_timeout=STOP_SECONDS_MAX,
        log_level=LogLevels.error,  # it warns of more threads than cores; ours wait
    ).serve()


def application() -> "Flask":
    """What the worker serves; called by granian in the worker's process."""
    from ops_api.app import create_app_from_environment

    logs.configure()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    return create_app_from_environment()


def _end_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    serve(read_environment(TrackerSettings))
