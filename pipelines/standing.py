"""How an installation stands against what is expected of it: reads the figures, nothing else."""

import datetime as dt
from zoneinfo import ZoneInfo

import duckdb
from sqlalchemy import Engine

from pipelines.expectations import Outcome, judge_arrival, judge_payday, judge_quarantine
from pipelines.ingest.healing import read_occurred_at, read_published_position
from pipelines.lakes import open_reader
from pipelines.trackers import open_tracker
from warehouse.paydays import read_pay_standing
from warehouse.quarantine import count_open
from warehouse.settings import LakeSettings
from warehouse.state import read_contiguous_position


def read_outcomes(
    lake: LakeSettings, database_url: str, zone: ZoneInfo, now: dt.datetime
) -> list[Outcome]:
    """All expectations, opening lake and tracker for it."""
    with open_tracker(database_url) as tracker, open_reader(lake) as connection:
        return read_all(connection, tracker, zone, now)


def read_all(
    connection: duckdb.DuckDBPyConnection, tracker: Engine, zone: ZoneInfo, now: dt.datetime
) -> list[Outcome]:
    """All expectations, of a lake and a tracker that are open."""
    position = read_contiguous_position(connection)
    return [
        read_arrival(tracker, position, read_published_position(tracker), now),
        read_payday(connection, zone, now),
        read_open_records(connection),
    ]


def read_arrival(tracker: Engine, contiguous: int, published: int, now: dt.datetime) -> Outcome:
    """Whether published events arrive, the lake being complete up to `contiguous`."""
    if published <= contiguous:
        return judge_arrival(0, 0.0)
    occurred_at = read_occurred_at(tracker, contiguous + 1)
    waited = (now - occurred_at).total_seconds() if occurred_at is not None else 0.0
    return judge_arrival(published - contiguous, max(0.0, waited))


def read_payday(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo, now: dt.datetime) -> Outcome:
    """Whether the last due business day is paid."""
    standing = read_pay_standing(connection)
    return judge_payday(
        first_date=standing.first_date, paid_through=standing.paid_through, now=now, zone=zone
    )


def read_open_records(connection: duckdb.DuckDBPyConnection) -> Outcome:
    """Whether a record in quarantine waits for somebody."""
    found = count_open(connection)
    return judge_quarantine(found.count_waiting, found.count_unconfirmed)
