"""Opening the lake for those who only read it, also when nobody has written to it yet."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from warehouse.lake import connect, create_tables
from warehouse.settings import LakeSettings


@contextmanager
def open_reader(settings: LakeSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection; a lake that does not exist is created empty first."""
    with connect(settings) as writer:
        create_tables(writer)
    with connect(settings, read_only=True) as reader:
        yield reader
