"""One row a service: what it is doing, and what it costs."""

import contextlib
from collections.abc import Mapping, Sequence

import msgspec
import psutil

from ates.services import Service
from ates.supervisor.remote import ProcessInfo

READY = "ready"
STARTING = "starting"
RESTARTING = "restarting"
STOPPING = "stopping"
STOPPED = "stopped"
GAVE_UP = "gave up"


class ServiceStatus(msgspec.Struct, frozen=True):
    """`state` is one of the words above; memory is that of the process and all below it."""

    name: str
    state: str
    pid: int | None
    port: int | None
    memory_bytes: int
    uptime_seconds: float
    url: str

    @property
    def is_ready(self) -> bool:
        """It serves now."""
        return self.state == READY


def statuses(
    services: Sequence[Service], processes: Mapping[str, ProcessInfo]
) -> list[ServiceStatus]:
    """A row for each service that stays (those that work once and end are left out)."""
    return [_status(s, processes.get(s.name)) for s in services if s.probe is not None]


def state_of(service: Service, info: ProcessInfo | None) -> str:
    """Ask the service itself whether it serves."""
    if info is None or info.is_stopped:
        return GAVE_UP if info is not None and info.has_given_up else STOPPED
    if not info.is_running:
        return STOPPING if info.is_stopping else RESTARTING
    assert service.probe is not None, "only services that stay have a state"
    return READY if service.probe.is_ready(info.pid, info.uptime_seconds) else STARTING


def _status(service: Service, info: ProcessInfo | None) -> ServiceStatus:
    pid = info.pid if info is not None and info.is_running else None
    return ServiceStatus(
        name=service.name,
        state=state_of(service, info),
        pid=pid,
        port=service.port,
        memory_bytes=0 if pid is None else _memory_bytes(pid),
        uptime_seconds=0.0 if info is None else info.uptime_seconds,
        url=service.url,
    )


def _memory_bytes(pid: int) -> int:
    """Memory of a process tree; what several share is counted once where the kernel tells (PSS)."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += _proportional_bytes(member)
    return total


def _proportional_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)
