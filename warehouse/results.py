"""What the checks found last: kept in the lake by whoever ran them, read by the dashboards."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import duckdb
import msgspec
import pyarrow as pa

from warehouse.checks import Finding
from warehouse.durability import sync_new_files
from warehouse.ingest import Clock, utc_now
from warehouse.lake import RivalError, transaction

Checker = Literal["verify", "dagster"]

RESULTS_KEPT = dt.timedelta(days=30)
ATTEMPTS_MAX = 5
SAMPLE_LENGTH_MAX = 500
QUERY = Path(__file__).with_name("queries") / "check_results.sql"
_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("statement", pa.string()),
        ("count_offending", pa.int64()),
        ("sample", pa.string()),
        ("checked_at", pa.timestamp("us", "UTC")),
        ("checked_by", pa.string()),
    ]
)


class CheckResult(msgspec.Struct, frozen=True):
    """The last result of one check; `failed_at` is None if it held whenever it ran of late."""

    name: str
    statement: str
    count_offending: int
    sample: str
    checked_at: dt.datetime
    checked_by: Checker
    failed_at: dt.datetime | None

    @property
    def holds(self) -> bool:
        """Whether nothing offended when it ran last."""
        return self.count_offending == 0


def keep_results(
    connection: duckdb.DuckDBPyConnection,
    findings: Sequence[Finding],
    *,
    checked_by: Checker,
    clock: Clock = utc_now,
) -> None:
    """Append these findings to ops.check_results and let go of those older than RESULTS_KEPT.

    The connection may write to the lake and is in no transaction. Raises RivalError when others
    kept changing the same rows.
    """
    now = clock()
    rows = [_row(finding, now, checked_by) for finding in findings]
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            _append(connection, pa.Table.from_pylist(rows, schema=_SCHEMA), now - RESULTS_KEPT)
        except RivalError:
            if attempt == ATTEMPTS_MAX:
                raise
        else:
            return


def read_results(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """The last result of every check that ever ran of late, the failing ones first."""
    rows = connection.execute(QUERY.read_text(encoding="utf-8")).fetchall()
    return [CheckResult(*row) for row in rows]


def _append(connection: duckdb.DuckDBPyConnection, rows: pa.Table, kept_from: dt.datetime) -> None:
    with transaction(connection):
        connection.execute("delete from lake.ops.check_results where checked_at < $1", [kept_from])
        connection.register("findings", rows)
        try:
            connection.execute("insert into lake.ops.check_results by name from findings")
        finally:
            connection.unregister("findings")
        sync_new_files(connection)


def _row(finding: Finding, now: dt.datetime, checked_by: Checker) -> dict[str, object]:
    sample = None
    if finding.samples:
        words = ", ".join(f"{key}={value}" for key, value in finding.samples[0].items())
        sample = words[:SAMPLE_LENGTH_MAX]
    return {
        "name": finding.name,
        "statement": finding.statement,
        "count_offending": finding.count_offending,
        "sample": sample,
        "checked_at": now,
        "checked_by": checked_by,
    }
