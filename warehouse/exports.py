"""Tables for other programs: each export is one query over the lake and the attached tracker."""

import csv
import datetime as dt
from pathlib import Path
from typing import Any, TextIO

import duckdb

from warehouse.tracker import copy_mail

QUERIES = Path(__file__).with_name("queries")
EXPORTS = ("events", "postings", "payouts", "balances", "employees", "tasks")
PAGE_ROWS = 10_000


def write_export(connection: duckdb.DuckDBPyConnection, name: str, file: TextIO) -> int:
    """Write one export as RFC 4180 CSV with a header and return the number of rows.

    Amounts are integer cents, times UTC in ISO 8601, truth is `true` or `false`, and what does not
    exist is empty. All rows come from one snapshot and go out page by page. `file` must not
    translate line ends.
    """
    assert name in EXPORTS, f"there is no export named {name}"
    connection.begin()
    try:
        if name == "payouts":
            copy_mail(connection)
        query = (QUERIES / f"export_{name}.sql").read_text(encoding="utf-8")
        found = connection.execute(query)
        writer = csv.writer(file)
        writer.writerow([column[0] for column in found.description or ()])
        count_rows = 0
        while page := found.fetchmany(PAGE_ROWS):
            writer.writerows([_cell(value) for value in row] for row in page)
            count_rows += len(page)
        return count_rows
    finally:
        connection.rollback()


def _cell(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
