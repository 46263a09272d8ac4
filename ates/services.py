"""Every service of one machine, in dependency order: how it starts, when it is ready, its ports."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from ates.probes import Announced, Answers, Listens, Lives, Probe
from ates.settings import Settings

PYTHON = sys.executable
LIVES_SECONDS = 1.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One process (with its own children) that the supervisor starts, watches and stops."""

    name: str
    command: list[str]
    probe: Probe | None  # None: it does its work once and ends, which is then its readiness
    needs: tuple[str, ...] = ()  # ready before this one starts, and there until it has stopped
    uses: tuple[str, ...] = ()  # there until this one has stopped, but not needed for its start
    ports: dict[str, int] = {}  # by the variable that sets it
    url: str = ""  # where a person looks
    folder: Path | None = None  # working directory
    prepare: Callable[[dict[str, str]], None] | None = None  # with the environment, before all
    before_stop: Callable[[], None] | None = None  # before anything stops
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds_max: int = 15
    ready_seconds_max: int = 180

    @property
    def port(self) -> int | None:
        """The port it is known by."""
        return next(iter(self.ports.values()), None)


def all_services(settings: Settings) -> list[Service]:
    """What `ates up` starts under these settings, each after those it needs.

    A piece that the environment replaces is left out.
    """
    embedded = [*_postgres(settings), *_kafka(settings)]
    wanted = [*embedded, *_own(settings), *_mailbox(settings), *_dagster(settings)]
    names = {service.name for service in wanted}
    return [
        msgspec.structs.replace(
            service, needs=tuple(name for name in service.needs if name in names)
        )
        for service in wanted
    ]


def _postgres(settings: Settings) -> list[Service]:
    server = settings.embedded_postgres()
    if server is None:
        return []
    return [
        Service(
            name="postgres",
            command=server.command(),
            probe=Announced(server.folder),
            ports={"POSTGRES_PORT": server.port},
            stop_signal=server.stop_signal,
            stop_seconds_max=30,
        )
    ]


def _kafka(settings: Settings) -> list[Service]:
    server = settings.embedded_kafka()
    if server is None:
        return []
    return [
        Service(
            name="kafka",
            command=server.command(),
            probe=Announced(server.folder),
            ports={"KAFKA_PORT": server.port, "KAFKA_CONTROLLER_PORT": server.controller_port},
            stop_signal=server.stop_signal,
            stop_seconds_max=30,
            ready_seconds_max=240,  # the first start on a machine downloads its jars
        )
    ]


def _own(settings: Settings) -> list[Service]:
    port, relay_port = settings.number("TRACKER_PORT"), settings.number("RELAY_METRICS_PORT")
    dashboards_port = settings.number("DASHBOARDS_PORT")
    return [
        Service(
            name="migrate",
            command=[PYTHON, "-m", "ates.migrate"],
            probe=None,
            needs=("postgres",),
        ),
        Service(
            name="tracker",
            command=_ates("tracker"),
            probe=Answers(port, "/ready"),
            needs=("migrate",),
            ports={"TRACKER_PORT": port},
            url=settings["TRACKER_URL"],
        ),
        Service(
            name="relay",
            command=_ates("relay"),
            probe=Answers(relay_port, "/ready"),
            needs=("migrate",),
            ports={"RELAY_METRICS_PORT": relay_port},
        ),
        Service(
            name="dashboards",
            command=[PYTHON, "-m", "dashboards.server"],
            probe=Answers(dashboards_port, "/_stcore/health"),
            needs=("migrate",),
            ports={"DASHBOARDS_PORT": dashboards_port},
            url=f"http://127.0.0.1:{dashboards_port}",
        ),
    ]


def _mailbox(settings: Settings) -> list[Service]:
    if not settings.is_mail_kept:
        return []
    ports = {name: settings.number(name) for name in ("MAILBOX_PORT", "SMTP_PORT")}
    return [
        Service(
            name="mailbox",
            command=_ates("mailbox"),
            probe=Answers(ports["MAILBOX_PORT"], "/health"),
            ports=ports,
            url=f"http://127.0.0.1:{ports['MAILBOX_PORT']}",
        )
    ]


def _dagster(settings: Settings) -> list[Service]:
    from pipelines import dagster_instance

    grpc_port, web_port = settings.number("DAGSTER_GRPC_PORT"), settings.number("DAGSTER_WEB_PORT")
    home = Path(settings["DAGSTER_HOME"])
    names = ("DAGSTER_WEB_PORT", "DAGSTER_GRPC_HOST", "DAGSTER_GRPC_PORT")
    commands = dagster_instance.commands(home, {name: settings[name] for name in names})
    return [
        Service(
            name="dagster-code",
            command=_prepared(commands["code-server"]),
            probe=Listens(grpc_port),
            needs=("postgres",),
            uses=("kafka", "tracker", "mailbox"),  # by the ticks that run inside it
            ports={
                "DAGSTER_GRPC_PORT": grpc_port,
                "DAGSTER_METRICS_PORT": settings.number("DAGSTER_METRICS_PORT"),
            },
            folder=home,
            prepare=lambda environment: dagster_instance.write_instance(home, environment),
            before_stop=lambda: dagster_instance.request_stop(home),
        ),
        Service(
            name="dagster-web",
            command=commands["webserver"],
            probe=Answers(web_port, "/server_info"),
            needs=("dagster-code",),
            ports={"DAGSTER_WEB_PORT": web_port},
            folder=home,
        ),
        _gate(settings),
        Service(
            name="dagster-daemon",
            command=commands["daemon"],
            probe=Lives(LIVES_SECONDS),
            needs=("dagster-code", "kafka", "tracker", "mailbox"),
            stop_seconds_max=30,
            folder=home,
        ),
    ]


def _gate(settings: Settings) -> Service:
    port = settings.number("DAGSTER_PORT")
    return Service(
        name="dagster-gate",
        command=[PYTHON, "-m", "pipelines.gateway.server"],
        probe=Answers(port, "/auth/ready"),
        needs=("dagster-web",),
        uses=("tracker",),  # where people sign in
        ports={"DAGSTER_PORT": port},
        url=settings["DAGSTER_URL"],
    )


def _ates(name: str) -> list[str]:
    return [PYTHON, "-m", "ates.cli", name]


def _prepared(command: list[str]) -> list[str]:
    """The same `python -m MODULE ...`, after leftovers are closed, its metrics beside it."""
    assert command[:2] == [PYTHON, "-m"]
    return [PYTHON, "-m", "ates.code_server", *command[2:]]
