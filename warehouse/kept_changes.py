"""What happened to the lake's tables since a snapshot, as its catalog tells it.

A table that was only added to, or that was written anew, lies in files of its own since then: they
are read directly. Each scan through DuckLake asks the catalog for files, statistics and deletions
first, which takes ten times as long as reading a file of a few rows.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import duckdb
import msgspec

_CHANGES = """
select snapshot_id, changes_made
from __ducklake_metadata_lake.ducklake_snapshot_changes
where snapshot_id > $1
"""
# Paths are relative to their table's, those to their schema's, and those to the lake's.
_TABLES = """
select
    named.schema_name || '.' || known.table_name,
    known.table_id,
    root.value || named.path || known.path,
    named.path_is_relative and known.path_is_relative
from __ducklake_metadata_lake.ducklake_table as known
inner join __ducklake_metadata_lake.ducklake_schema as named
    on named.schema_id = known.schema_id and named.end_snapshot is null
inner join __ducklake_metadata_lake.ducklake_metadata as root on root.key = 'data_path'
where known.end_snapshot is null
"""
_FILES = """
select
    file.table_id,
    list(file.path order by file.data_file_id) filter (file.begin_snapshot > $since),
    bool_and(file.begin_snapshot > $since) as is_new,
    bool_and(file.path_is_relative and deleted.data_file_id is null) as is_plain,
from __ducklake_metadata_lake.ducklake_data_file as file
left join __ducklake_metadata_lake.ducklake_delete_file as deleted
    on deleted.data_file_id = file.data_file_id and deleted.end_snapshot is null
where file.end_snapshot is null
    and (file.begin_snapshot > $since or file.table_id in (select unnest($rewritten::bigint[])))
group by file.table_id
"""
_CHANGE = re.compile(r"(\w+):(\d+)")
_ADDED: Final = "inserted_into_table"
_WRITING: Final = frozenset({_ADDED, "deleted_from_table"})
# Other files, the same rows.
_HARMLESS: Final = frozenset({"compacted_table", "merge_adjacent", "rewrite_delete"})


class Change(msgspec.Struct, frozen=True):
    """What became of a table.

    `files` hold its new rows and nothing else if `is_addition`; otherwise they hold all of its
    rows, or there are none because only the lake itself can tell what the table is now.
    """

    files: tuple[str, ...] = ()
    is_addition: bool = False


# Nothing is known but that it has to be read whole.
ANYTHING: Final = Change()


class _Table(msgspec.Struct, frozen=True):
    table_id: int
    folder: str
    is_plain: bool


class Catalog(msgspec.Struct, frozen=True):
    """The lake's tables by full name, as they were when everything was read last."""

    tables: Mapping[str, _Table]


def read_catalog(cursor: duckdb.DuckDBPyConnection) -> Catalog:
    """Which tables there are and where their files lie."""
    found = cursor.execute(_TABLES).fetchall()
    return Catalog({name: _Table(*values) for name, *values in found})


def read_changes(
    cursor: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    names: Iterable[str],
    *,
    since: int,
    newest: int,
) -> dict[str, Change] | None:
    """Those of the tables whose rows changed after a snapshot; None when that is not known."""
    found = [made or "" for _, made in cursor.execute(_CHANGES, [since]).fetchall()]
    changes = [change for made in found for change in _CHANGE.findall(made)]
    is_known = (
        len(found) == newest - since  # none of them is forgotten already
        and len(changes) == sum(made.count(":") for made in found)
        and {word for word, _ in changes} <= _WRITING | _HARMLESS
    )
    if not is_known:
        return None
    words: dict[int, set[str]] = {}
    for word, number in changes:
        words.setdefault(int(number), set()).add(word)
    tables = {name: catalog.tables[name] for name in names if name in catalog.tables}
    written = {
        name: table
        for name, table in tables.items()
        if not _WRITING.isdisjoint(words.get(table.table_id, ()))
    }
    return _with_files(cursor, written, words, since)


def _with_files(
    cursor: duckdb.DuckDBPyConnection,
    written: Mapping[str, _Table],
    words: Mapping[int, set[str]],
    since: int,
) -> dict[str, Change]:
    added = {each.table_id for each in written.values() if words[each.table_id] == {_ADDED}}
    rewritten = [each.table_id for each in written.values() if each.table_id not in added]
    values = {"since": since, "rewritten": rewritten}
    files = {number: row for number, *row in cursor.execute(_FILES, values).fetchall()}
    changes = {}
    for name, table in written.items():
        paths, is_new, is_plain = files.get(table.table_id, ((), False, False))
        is_addition = table.table_id in added
        is_readable = table.is_plain and is_plain and (is_addition or is_new)
        read = tuple(table.folder + path for path in paths) if is_readable else ()
        changes[name] = Change(read, is_addition) if read else ANYTHING
    return changes


def rows_of(table: str, change: Change, columns: Iterable[str]) -> str:
    """Where a query finds the rows of a table that a change is about."""
    if not change.files:
        return f"lake.{table}"
    files = ", ".join("'" + path.replace("'", "''") + "'" for path in change.files)
    # Rows that were once moved carry their old numbers in columns beside the table's own.
    named = ", ".join(f'"{column}"' for column in columns)
    return f"(select {named} from read_parquet([{files}]))"  # noqa: S608 - names of ours
