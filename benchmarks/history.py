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
FOLDER = Path(__file__).parent


def fill(lake: duckdb.DuckDBPyConnection, *, ledger_rows: int, first_date: dt.date) -> int:
    """Ingest, close and pay `DAYS` days with about `ledger_rows` postings; returns the events."""
    create_tables(lake)
    state = None
    for batch in batches(ledger_rows=ledger_rows, first_date=first_date):
        result = apply_batch(lake, batch, state=state)
        assert (result.count_quarantined, result.count_duplicates) == (0, 0)
        state = result.state
        if is_due(state.epoch):
            tend(lake, state.epoch, kept=dt.timedelta(0))
    assert state is not None, "a year has events"
    pay_due_days(lake)
    return state.contiguous_position


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
