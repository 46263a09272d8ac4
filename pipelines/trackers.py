"""The tracker's database, as pipelines read it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine


@contextmanager
def open_tracker(database_url: str) -> Iterator[Engine]:
    """One connection to it, opened when it is needed and anew when it was lost."""
    engine = create_engine(database_url, pool_size=1, max_overflow=0, pool_pre_ping=True)
    try:
        yield engine
    finally:
        engine.dispose()
