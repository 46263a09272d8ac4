"""Every invariant as a query that returns offending rows: none means that it holds.

`checks/*.sql` hold one invariant each; the comment at the top says it in words and ends with the
table it vouches for, `-- asset: schema.table`. With `, each window` behind it, it needs nothing but
the lake and is cheap enough to run twice a minute. They read the lake as `lake`, the tracker's
PostgreSQL as `tracker`, and the tables of `checks/given/*.sql`, which are made first.

All of them see one snapshot of the lake and one of the tracker, the latter taken after the former;
so whatever the lake has, the tracker has too. What is still on its way from the one to the other is
left out of a comparison and counted as in flight.
"""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from warehouse.tracker import copy_mail

CHECKS = Path(__file__).with_name("checks")
SAMPLES_MAX = 5
ASSET_WORD = "asset: "
EACH_WINDOW = "each window"


class Scope(msgspec.Struct, frozen=True):
    """How far the two sides can be compared.

    `through` is the position up to which the lake is complete, `head` the log's last one; dates are
    None when there is no such day, `planned_through` also when no mail was ever planned.
    """

    through: int
    last_position: int
    head: int
    count_waiting: int
    closed_through: dt.date | None
    paid_through: dt.date | None
    planned_through: dt.date | None

    @property
    def is_settled(self) -> bool:
        """Whether nothing was in flight: every comparison was a full one."""
        has_all_events = self.count_waiting == 0 and self.through == self.head
        return has_all_events and (self.closed_through == self.paid_through == self.planned_through)


class Check(msgspec.Struct, frozen=True):
    """One invariant: its name, what it says, and the query for what offends it.

    `asset` is the table it vouches for, as `schema.table`.
    """

    name: str
    statement: str
    asset: str
    is_for_each_window: bool
    sql: str


class Finding(msgspec.Struct, frozen=True):
    """What one check found: it holds when nothing offends. `samples` are a few of the rows."""

    name: str
    statement: str
    count_offending: int
    samples: list[dict[str, Any]]


class Verification(msgspec.Struct, frozen=True):
    """All findings at one snapshot."""

    scope: Scope
    findings: list[Finding]

    @property
    def is_clean(self) -> bool:
        """Whether every invariant holds."""
        return all(finding.count_offending == 0 for finding in self.findings)


def read_checks() -> list[Check]:
    """All checks in the order of their names."""
    return [_read_check(path) for path in sorted(CHECKS.glob("*.sql"))]


def verify(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Check] | None = None
) -> Verification:
    """Run every check (or those given) at one snapshot of the lake and one of the tracker.

    The connection has the lake as `lake` and the tracker as `tracker`; nothing in them changes.
    """
    connection.begin()
    try:
        return verify_here(connection, checks)
    finally:
        connection.rollback()


def verify_here(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Check] | None = None
) -> Verification:
    """The same inside the caller's transaction, which is to be rolled back afterwards."""
    first, *others = sorted((CHECKS / "given").glob("*.sql"))
    connection.execute(first.read_text(encoding="utf-8"))
    copy_mail(connection)
    for script in others:
        connection.execute(script.read_text(encoding="utf-8"))
    rows = connection.execute("select * from scope").fetchall()
    assert len(rows) == 1, f"the scope is one row, not {len(rows)}"
    findings = [run_check(connection, check) for check in checks or read_checks()]
    return Verification(scope=Scope(*rows[0]), findings=findings)


def run_check(connection: duckdb.DuckDBPyConnection, check: Check) -> Finding:
    """Run one check in the caller's transaction; all it reads must be there."""
    offending = connection.execute(check.sql)
    names = [column[0] for column in offending.description or ()]
    rows = offending.fetchall()
    samples = [dict(zip(names, row, strict=True)) for row in rows[:SAMPLES_MAX]]
    return Finding(check.name, check.statement, len(rows), samples)


def _read_check(path: Path) -> Check:
    sql = path.read_text(encoding="utf-8")
    comment: list[str] = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        comment.append(line.removeprefix("--").strip())
    assert len(comment) > 1, f"{path.name} does not begin with its statement and its asset"
    *statement, last = comment
    asset, _, rhythm = last.removeprefix(ASSET_WORD).partition(", ")
    assert last.startswith(ASSET_WORD), f"{path.name}: '{last}' does not name its asset"
    assert rhythm in ("", EACH_WINDOW), f"{path.name}: '{rhythm}' is no rhythm"
    return Check(path.stem, " ".join(statement), asset, rhythm == EACH_WINDOW, sql)
