"""Makes files survive a power cut before the catalog speaks of them.

DuckLake writes its Parquet files without fsync and then commits a catalog that does: after a power
cut the catalog could name files that are empty. So the new files and their folders are synced
between writing and COMMIT. Object stores need none of this.
"""

import os
import weakref
from pathlib import Path

import duckdb

# Per connection, not per process: a file that another connection is still writing must not count
# as synced when that connection comes to commit.
_synced: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[Path, frozenset[str]]] = (
    weakref.WeakKeyDictionary()
)


def sync_new_files(connection: duckdb.DuckDBPyConnection) -> int:
    """Sync the lake's files that this connection has not synced yet; returns their number.

    File names hold a UUID and are never used twice, so a known name needs no second look. Does
    nothing when the files are in an object store.
    """
    data_path = _local_data_path(connection)
    if data_path is None or not data_path.exists():
        return 0
    names = _synced.setdefault(connection, {})
    if data_path not in names:
        _sync(data_path.parent)
    return sum(_sync_folder(folder, names) for folder in [data_path, *_folders_in(data_path)])


def _local_data_path(connection: duckdb.DuckDBPyConnection) -> Path | None:
    """The folder of the lake's files, or None when they are in an object store."""
    found = connection.execute(
        "select options['data_path'] from duckdb_databases() where database_name = 'lake'"
    ).fetchone()
    assert found is not None, "the connection has no lake"
    return None if "://" in found[0] else Path(found[0])


def _folders_in(data_path: Path) -> list[Path]:
    """Schemas and tables: files lie exactly two levels down."""
    schemas = _subfolders(data_path)
    return schemas + [table for schema in schemas for table in _subfolders(schema)]


def _subfolders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir()]


def _sync_folder(folder: Path, synced: dict[Path, frozenset[str]]) -> int:
    names = frozenset(os.listdir(folder))  # noqa: PTH208 - names only, half the cost
    new = names - synced.get(folder, frozenset())
    if new:
        for name in new:
            _sync(folder / name)
        _sync(folder)
    synced[folder] = names
    return len(new)


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # upkeep of another process removed it meanwhile
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
