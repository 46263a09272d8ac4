"""The one way to open the lake: DuckDB with its catalog in PostgreSQL and its rows in Parquet.

Every connection attaches it as `lake` and uses it, thinks in UTC and never reaches for the network
to find an extension. Connections are cheap to keep and not to be shared between threads.
"""

import importlib.util
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import duckdb
from sqlalchemy.engine import URL, make_url

from warehouse.durability import sync_new_files
from warehouse.light_duckdb import spare_pandas
from warehouse.marts import create_missing_marts
from warehouse.settings import LakeSettings

THREADS = 2
MEMORY_LIMIT = "1GB"
# DuckLake retries a commit that merely came second (no conflict): often and soon.
COMMIT_RETRIES_MAX = 20
COMMIT_RETRY_MILLISECONDS = 10
ATTACH_ATTEMPTS_MAX = 10
CREATE_ATTEMPTS_MAX = 10
RETRY_PAUSE_SECONDS = 0.2
SECRET_PARTS = {
    "host": "host",
    "port": "port",
    "database": "database",
    "username": "user",
    "password": "password",
}


class RivalError(RuntimeError):
    """Another process changed the same rows first; nothing of ours happened. Look again."""


class LakeUnavailableError(RuntimeError):
    """The lake cannot be opened: the catalog does not answer, or nobody has created it yet."""


def connect(settings: LakeSettings, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open the lake as `lake`, current catalog of the connection, times in UTC.

    A lake that does not exist is initialised, unless `read_only`. Raises LakeUnavailableError.
    """
    spare_pandas()
    connection = duckdb.connect(
        config={
            "threads": THREADS,
            "memory_limit": MEMORY_LIMIT,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # Ours come from wheels locked by hash; checking a signature again takes 0.4 s.
            "allow_unsigned_extensions": True,
            "temp_directory": str(Path(tempfile.gettempdir()) / f"ates-duckdb-{os.getpid()}"),
        }
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set preserve_insertion_order = false")
    try:
        _attach(connection, settings, read_only)
    except BaseException:
        connection.close()
        raise
    connection.execute("set allow_unsigned_extensions = false")
    connection.execute(f"set ducklake_max_retry_count = {COMMIT_RETRIES_MAX}")
    connection.execute(f"set ducklake_retry_wait_ms = {COMMIT_RETRY_MILLISECONDS}")
    connection.execute("use lake")
    return connection


def opening_sql(settings: LakeSettings, *, is_offline: bool) -> str:
    """SQL with which any DuckDB client opens the lake as `lake`, read only; holds a password.

    `is_offline` loads the extensions installed here, which fit this very version of DuckDB; without
    it the client fetches its own. An `s3://` lake needs a secret of the client's besides.
    """
    catalog = make_url(settings.lake_catalog_url)
    is_file = catalog.drivername.startswith("duckdb")
    names = ["ducklake"] if is_file else ["ducklake", "postgres_scanner"]
    if is_offline:
        lines = [f"LOAD {_quote(_extension_file(name))};" for name in names]
    else:
        lines = [f"INSTALL {name}; LOAD {name};" for name in names]
    if is_file:
        source = str(catalog.database)
    else:
        values = {**catalog.translate_connect_args(), **_query(catalog)}
        words = {"database": "dbname", "username": "user"}
        source = "postgres:" + " ".join(
            f"{words.get(name, name)}={_libpq(str(value))}" for name, value in values.items()
        )
    data_path = settings.lake_data_path
    if "://" not in data_path:
        data_path = f"{Path(data_path).resolve()}/"
    options = f"READ_ONLY, DATA_PATH {_quote(data_path)}"
    lines.append(f"ATTACH {_quote('ducklake:' + source)} AS lake ({options});")
    return "\n".join([*lines, "USE lake;", "SET TimeZone = 'UTC';"])


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the lake's tables to the newest version; does nothing when they are.

    Safe when several processes start at once on an empty lake: one creates, the others look again.
    """
    scripts = sorted(
        (each for each in _tables_folder().iterdir() if each.name.endswith(".sql")),
        key=lambda each: each.name,
    )
    for attempt in range(1, CREATE_ATTEMPTS_MAX + 1):
        try:
            with transaction(connection):
                _apply_scripts(connection, [each.read_text("utf-8") for each in scripts])
                create_missing_marts(connection)
                sync_new_files(connection)
        except (RivalError, duckdb.CatalogException):
            if attempt == CREATE_ATTEMPTS_MAX:
                raise
            time.sleep(RETRY_PAUSE_SECONDS)
        else:
            return


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One DuckLake transaction: commits at the end, or leaves nothing behind.

    Raises RivalError when another process committed a conflicting change first.
    """
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except duckdb.TransactionException as error:
        _roll_back(connection)
        raise RivalError(str(error)) from error
    except BaseException:
        _roll_back(connection)
        raise


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("rollback")
    except duckdb.TransactionException:
        return  # a failed commit has already ended the transaction


def _attach(connection: duckdb.DuckDBPyConnection, settings: LakeSettings, read_only: bool) -> None:
    _load(connection, "ducklake")
    catalog = make_url(settings.lake_catalog_url)
    if catalog.drivername.startswith("duckdb"):
        source = str(catalog.database)
    else:
        _load(connection, "postgres_scanner")
        source = _keep_password(connection, catalog)
    options = ["data_inlining_row_limit 0"]
    if catalog.drivername.startswith("postgresql"):
        options.append("meta_secret 'lake_catalog'")
    if read_only:
        options.append("read_only")
    options.append(f"data_path {_quote(_prepare_data_path(connection, settings, read_only))}")
    statement = f"attach {_quote('ducklake:' + source)} as lake ({', '.join(options)})"
    for attempt in range(1, ATTACH_ATTEMPTS_MAX + 1):
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            is_race = "already exists" in str(error) or "duplicate key" in str(error)
            if not is_race or attempt == ATTACH_ATTEMPTS_MAX:
                raise LakeUnavailableError(f"the lake cannot be opened: {error}") from error
            time.sleep(RETRY_PAUSE_SECONDS)
        else:
            return


def _keep_password(connection: duckdb.DuckDBPyConnection, catalog: URL) -> str:
    """Hand the catalog's address to DuckDB as a secret, so that no error message repeats it."""
    values = {**catalog.translate_connect_args(), **_query(catalog)}
    known = [
        f"{SECRET_PARTS[name]} {_quote(str(value))}"
        for name, value in values.items()
        if name in SECRET_PARTS
    ]
    connection.execute(f"create secret lake_catalog (type postgres, {', '.join(known)})")
    others = " ".join(
        f"{name}={_libpq(str(value))}" for name, value in values.items() if name not in SECRET_PARTS
    )
    return f"postgres:{others}"


def _query(catalog: URL) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else value[-1]
        for name, value in catalog.query.items()
    }


def _prepare_data_path(
    connection: duckdb.DuckDBPyConnection, settings: LakeSettings, read_only: bool
) -> str:
    if "://" not in settings.lake_data_path:
        folder = Path(settings.lake_data_path).resolve()
        if not read_only:
            folder.mkdir(parents=True, exist_ok=True)
        return f"{folder}/"
    _load(connection, "httpfs")
    parts = {
        "key_id": settings.aws_access_key_id,
        "secret": settings.aws_secret_access_key,
        "region": settings.aws_region,
        "endpoint": settings.aws_endpoint_url.partition("://")[2],
        "use_ssl": "false" if settings.aws_endpoint_url.startswith("http://") else "",
        "url_style": "path" if settings.aws_endpoint_url else "",
    }
    given = "".join(f", {name} {_quote(value)}" for name, value in parts.items() if value)
    connection.execute(f"create secret lake_files (type s3{given})")
    return settings.lake_data_path


def _load(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(f"load {_quote(_extension_file(name))}")


def _extension_file(name: str) -> str:
    module = f"duckdb_extension_{name}"
    assert importlib.util.find_spec(module) is not None, f"the wheel {module} is not installed"
    file = f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"
    return str(resources.files(module) / file)


def _apply_scripts(connection: duckdb.DuckDBPyConnection, scripts: list[str]) -> None:
    found = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'lake'"
        " and schema_name = 'ops' and table_name = 'table_versions'"
    ).fetchone()
    done = 0
    if found == (0,):
        connection.execute("create schema if not exists ops")
        connection.execute("create table ops.table_versions (version integer not null)")
    else:
        newest = connection.execute("select max(version) from ops.table_versions").fetchone()
        assert newest is not None, "an aggregate always has a row"
        done = newest[0]
    for version, script in enumerate(scripts[done:], done + 1):
        connection.execute(script)
        connection.execute("insert into ops.table_versions values ($1)", [version])


def _tables_folder() -> Path:
    return Path(__file__).parent / "tables"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _libpq(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
