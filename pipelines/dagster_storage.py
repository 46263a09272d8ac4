"""Dagster's PostgreSQL storage with connections that are kept.

Dagster opens a connection for every query and looks for its tables at every tick. Signing in costs
more than the queries: a range of a thousand days spent most of its time on it.
"""

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from dagster._grpc import server_watcher
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import Engine, create_engine

# One for each thread that is usually busy; more are opened when needed and closed afterwards.
CONNECTIONS_KEPT = 3
CONNECTIONS_MORE_MAX = 30
CONNECT_SECONDS_MAX = 10
CONNECTION_SECONDS_MAX = 1_800
STATEMENT_TIMEOUT_MS = 60_000
# A run over many days writes their materializations together instead of one by one.
EVENTS_PER_BATCH = 500
# Whether tables and columns are there that are never dropped: a good part of the daemon's work on a
# quiet night. `has_built_index` names one; the others take nothing, or the connection to ask by.
ASKED_AT_EVERY_TICK = (
    "has_instigators_table",
    "_has_instigators_table",
    "has_secondary_index_table",
    "has_built_index",
)
ASKED_OF_RUNS = ("has_run_stats_index_cols",)
ASKED_OF_EVENTS = ("has_table", "has_asset_key_index_cols")
# Dagster forgets a sensor's old ticks after every tick, by three statements; days are kept anyway.
PURGE_SECONDS_MIN = 900.0

# Daemon and web server ask the code server whether it is still the same, over a new connection each
# time; a second apart that took half a percent of a core on both sides.
SAME_SERVER_SECONDS = 4
assert hasattr(server_watcher, "WATCH_INTERVAL"), "Dagster has renamed what we set"
server_watcher.WATCH_INTERVAL = SAME_SERVER_SECONDS

os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(EVENTS_PER_BATCH))
# A backfill that is looked at while the code server starts anew waits for it instead of failing.
os.environ.setdefault("DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR", "1")
_urls_looked_at: set[str] = set()


class KeptConnectionsStorage(DagsterPostgresStorage):
    """The same tables and queries over one pool per process, whatever number of instances."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        """Open it; the first in a process creates the tables that are missing."""
        is_first = postgres_url not in _urls_looked_at
        super().__init__(postgres_url, should_autocreate_tables=is_first, inst_data=inst_data)
        _urls_looked_at.add(postgres_url)
        engine = _engine(postgres_url)
        parts: list[Any] = [self._run_storage, self._event_log_storage, self._schedule_storage]
        for part in parts:
            assert isinstance(part._engine, Engine), "Dagster has renamed what we replace"
            part._engine = engine
        for part, names in (
            (self._schedule_storage, ASKED_AT_EVERY_TICK),
            (self._run_storage, ASKED_OF_RUNS),
            (self._event_log_storage, ASKED_OF_EVENTS),
        ):
            for name in names:
                setattr(part, name, _remembered(getattr(part, name)))
        purge = _seldom(self._schedule_storage.purge_ticks)
        self._schedule_storage.purge_ticks = purge  # type: ignore[method-assign]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "KeptConnectionsStorage":
        """Called by Dagster with what `dagster.yaml` says."""
        return cls(config_value["postgres_url"], inst_data)


def _remembered(question: Callable[..., bool]) -> Callable[..., bool]:
    """The same question, which is not asked again once the answer was yes."""
    known: set[tuple[str, ...]] = set()

    def ask(*arguments: Any) -> bool:
        subject = tuple(each for each in arguments if isinstance(each, str))
        if subject not in known and question(*arguments):
            known.add(subject)
        return subject in known

    return ask


def _seldom(act: Callable[..., None]) -> Callable[..., None]:
    """The same act, done for each instigator and kind of tick every PURGE_SECONDS_MIN at most."""
    done_at: dict[tuple[Any, ...], float] = {}

    def act_if_due(origin_id: str, selector_id: str, before: float, tick_statuses: Any) -> None:
        subject, now = (origin_id, selector_id, *tick_statuses), time.monotonic()
        last = done_at.get(subject)
        if last is None or now - last >= PURGE_SECONDS_MIN:
            act(origin_id, selector_id, before, tick_statuses)
            done_at[subject] = now

    return act_if_due


@cache
def _engine(postgres_url: str) -> Engine:
    return create_engine(
        postgres_url,
        isolation_level="AUTOCOMMIT",
        pool_size=CONNECTIONS_KEPT,
        max_overflow=CONNECTIONS_MORE_MAX,
        pool_pre_ping=True,
        pool_recycle=CONNECTION_SECONDS_MAX,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS_MAX,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
            "application_name": "dagster",
        },
    )
