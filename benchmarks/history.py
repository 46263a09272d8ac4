"""A year of business in a lake: made in SQL as the records ops_api would send, then ingested."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.ingest import RECORDS, apply_batch
from warehouse.lake import create_tables
from warehouse.payouts import pay_due_days
from warehouse.upkeep import is_due, tend

DAYS = 365
EMPLOYEES = 1_000
TASKS_PER_LEDGER_ROW = 1 / 4.64  # two rows an entry, 1.33 assignments and 0.99 completions a task
BATCH_EVENTS = 100_000
SMALL_BATCH_EVENTS = 50
FOLDER = Path(__file__).parent


def fill(
    lake: duckdb.DuckDBPyConnection,
    *,
    ledger_rows: int,
    first_date: dt.date,
    count_held_back: int = 0,
) -> Iterator[pa.Table]:
    """Ingest, close and pay `DAYS` days with about `ledger_rows` postings.

    The last `count_held_back` batches of a few events each are left to the caller.
    """
    create_tables(lake)
    state = None
    held_back = pa.Table.from_batches([], RECORDS)
    for batch in batches(ledger_rows=ledger_rows, first_date=first_date):
        records = pa.concat_tables([held_back, batch])
        count = max(0, records.num_rows - count_held_back * SMALL_BATCH_EVENTS)
        held_back = records.slice(count)
        result = apply_batch(lake, records.slice(0, count), state=state)
        assert (result.count_quarantined, result.count_duplicates) == (0, 0)
        state = result.state
        if is_due(state.epoch):
            tend(lake, state.epoch, kept=dt.timedelta(0))
    assert state is not None, "a year has events"
    pay_due_days(lake)
    tend(lake, state.epoch, kept=dt.timedelta(0))
    return iter(
        [
            held_back.slice(start, SMALL_BATCH_EVENTS)
            for start in range(0, held_back.num_rows, SMALL_BATCH_EVENTS)
        ]
    )


def batches(*, ledger_rows: int, first_date: dt.date) -> Iterator[pa.Table]:
    """The records (schema RECORDS) of that year, in log order."""
    values = {
        "tasks": round(ledger_rows * TASKS_PER_LEDGER_ROW),
        "days": DAYS,
        "employees": EMPLOYEES,
        "first_date": first_date,
    }
    records = (FOLDER / "history_records.sql").read_text("utf-8")
    with duckdb.connect() as maker:
        maker.execute((FOLDER / "history.sql").read_text("utf-8"), values)
        row = maker.execute("select max(position) from history").fetchone()
        assert row is not None, "an aggregate has a row"
        for first in range(1, row[0] + 1, BATCH_EVENTS):
            bounds = {"first": first, "last": first + BATCH_EVENTS - 1}
            yield maker.execute(records, bounds).to_arrow_table().cast(RECORDS)
