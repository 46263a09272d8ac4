"""The configuration of supervisord: one program a service, nothing starts by itself."""

import hashlib
import os
import pwd
import shlex
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ates.embedded.process import launched
from ates.services import Service

# One that dies younger than this failed to start: it is tried again after 1, 2, 3... seconds.
START_SECONDS = 8
START_RETRIES_MAX = 5
LOG_BYTES_MAX = 5 * 1024 * 1024
LOG_BACKUPS_MAX = 2
SOCKET_PATH_LENGTH_MAX = 95  # 103 on macOS, and supervisord first makes one that ends in its pid

SUPERVISORD = """\
[unix_http_server]
file={socket}
chmod=0600

[supervisord]
nodaemon=true
silent=true
user={user}
logfile={logs}/supervisor.log
logfile_maxbytes={bytes_max}
logfile_backups={backups}
pidfile={run}/supervisord.pid
childlogdir={logs}
strip_ansi=true

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
PROGRAM = """
[program:{name}]
command={command}
directory={folder}
priority={priority}
autostart=false
autorestart={is_restarted}
exitcodes=0
startsecs={start_seconds}
startretries={retries}
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes={bytes_max}
stdout_logfile_backups={backups}
"""


def write(home: Path, services: Sequence[Service]) -> Path:
    """Write the file for these services, in their order; it holds no secret."""
    run, logs = home / "run", home / "logs"
    for folder in (run, logs):
        folder.mkdir(parents=True, exist_ok=True)
    head = {
        "socket": socket_path(home),
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "logs": logs,
        "run": run,
        "bytes_max": LOG_BYTES_MAX,
        "backups": LOG_BACKUPS_MAX,
    }
    text = SUPERVISORD.format_map({name: _literal(value) for name, value in head.items()})
    for priority, service in enumerate(services, start=1):
        text += PROGRAM.format_map(_program(service, priority, run, logs))
    path = run / "supervisord.conf"
    path.write_text(text, encoding="utf-8")
    return path


def socket_path(home: Path) -> Path:
    """Where supervisord takes calls; elsewhere when the home's path is too long for a socket."""
    name = f"{hashlib.sha256(str(home).encode()).hexdigest()[:16]}.sock"
    folders = (tempfile.gettempdir(), "/tmp")  # noqa: S108 - a private folder in it
    elsewhere = [Path(each) / f"ates-{os.geteuid()}" for each in folders]
    paths = [home / "run" / "supervisor.sock", *(folder / name for folder in elsewhere)]
    path = next(each for each in paths if len(str(each)) <= SOCKET_PATH_LENGTH_MAX)
    if path.parent in elsewhere:
        _make_private(path.parent)
    return path


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)


def _program(service: Service, priority: int, run: Path, logs: Path) -> dict[str, str]:
    is_once = service.probe is None
    values = {
        "name": service.name,
        "command": shlex.join(launched(service.command, service.stop_signal)),
        "folder": service.folder or run,
        "priority": priority,
        "is_restarted": "false" if is_once else "true",
        "start_seconds": 0 if is_once else START_SECONDS,
        "retries": START_RETRIES_MAX,
        "stop_signal": signal.Signals(service.stop_signal).name.removeprefix("SIG"),
        "stop_seconds": service.stop_seconds_max,
        "logs": logs,
        "bytes_max": LOG_BYTES_MAX,
        "backups": LOG_BACKUPS_MAX,
    }
    return {name: _literal(value) for name, value in values.items()}


def _literal(value: object) -> str:
    return str(value).replace("%", "%%")
