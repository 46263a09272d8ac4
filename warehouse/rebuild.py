"""Builds a second lake from the event log alone, by the same code, and compares it with the first.

The second lake has its catalog in a file of its own and its data beside it. It may cover the whole
history or a span of certified days, which then starts from the balances the first lake had before.
Left out of the comparison is only what tells when and by which way rows came, not what they say.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import duckdb

from warehouse.archive import ReadPage, read_log
from warehouse.ingest import apply_missing
from warehouse.lake import RivalError, connect, create_tables, transaction
from warehouse.lake_tables import FOLLOWING_FROM_THE_LOG, LakeTable
from warehouse.payouts import ONE_DAY, CertificateMismatch, pay_due_days
from warehouse.quarantine import Discard, apply_discards
from warehouse.settings import LakeSettings
from warehouse.state import IngestState, read_state
from warehouse.swap import swap_in

SWAP_ATTEMPTS_MAX = 5


class Swap(Enum):
    """When the rebuilt rows take the place of the lake's own."""

    NEVER = "never"
    IF_IDENTICAL = "if identical"
    ALWAYS = "always"


@dataclass(frozen=True)
class EventLog:
    """What a lake is built from: the log, and what people decided about events nobody can read."""

    read_page: ReadPage
    discards: Sequence[Discard] = ()


@dataclass(frozen=True)
class Span:
    """Certified business days from `first` to `last`."""

    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class TableComparison:
    """One table of both lakes: rows in the first, and rows that only one of them has."""

    table: str
    count_rows: int
    count_missing: int  # in the lake, not in the rebuilt one
    count_surplus: int  # in the rebuilt one, not in the lake

    @property
    def is_identical(self) -> bool:
        """Whether both lakes say the same."""
        return self.count_missing == 0 and self.count_surplus == 0


@dataclass(frozen=True)
class Rebuild:
    """What came of it; every table that follows from the log and makes sense in the span."""

    comparisons: list[TableComparison]
    through: int  # the position up to which both lakes were compared
    is_swapped: bool

    @property
    def is_identical(self) -> bool:
        """Whether every table says the same in both lakes."""
        return all(each.is_identical for each in self.comparisons)


class RebuildError(RuntimeError):
    """The second lake could not be built or compared; the message says why."""


Progress = Callable[[int, int], None]


def rebuild(
    settings: LakeSettings,
    log: EventLog,
    folder: Path,
    *,
    span: Span | None = None,
    swap: Swap = Swap.NEVER,
    report_progress: Progress = lambda _done, _total: None,
) -> Rebuild:
    """Build a second lake in an empty folder, compare it, and swap it in if that was asked for.

    Works beside ingest and payouts: what arrives meanwhile is built as well, and both lakes are
    compared at one snapshot. A swap is one transaction; while others keep writing it steps back.
    Raises RebuildError.
    """
    assert span is None or swap is Swap.NEVER, "only a whole history can be swapped in"
    shadow_settings = LakeSettings(
        lake_catalog_url=f"duckdb:///{folder / 'catalog.ducklake'}",
        lake_data_path=str(folder / "data"),
    )
    with contextlib.closing(connect(settings, read_only=swap is Swap.NEVER)) as live:
        with contextlib.closing(connect(shadow_settings)) as shadow:
            create_tables(shadow)
            builder = _Builder(live, shadow, log, span, report_progress)
            builder.seed()
            builder.build(builder.target())
        for _ in range(SWAP_ATTEMPTS_MAX):
            with contextlib.suppress(RivalError):
                return _finish(live, shadow_settings, builder, swap)
        raise RebuildError("others keep writing to the lake: pause ingest and payouts, try again")


@dataclass
class _Builder:
    live: duckdb.DuckDBPyConnection
    shadow: duckdb.DuckDBPyConnection
    log: EventLog
    span: Span | None
    report_progress: Progress
    start: int = 0

    def seed(self) -> None:
        """Start a span from what the first lake says of the time before."""
        if self.span is None:
            return
        self.start = _last_position_before(self.live, self.span.first)
        before = self.live.execute(
            "select account, business_date, sum(fees_cents)::bigint as fees_cents,"
            " sum(rewards_cents)::bigint as rewards_cents,"
            " sum(payouts_cents)::bigint as payouts_cents,"
            " sum(count_entries)::bigint as count_entries"
            " from ledger.account_days where business_date < $1 group by all",
            [self.span.first],
        ).to_arrow_table()
        with transaction(self.shadow):
            self.shadow.register("before", before)
            self.shadow.execute("insert into ledger.account_days by name from before")
            self.shadow.unregister("before")
            self.shadow.execute(
                "update ops.ingest_state set contiguous_position = $1, last_position = $1",
                [self.start],
            )
            if self.start:
                self.shadow.execute(
                    "update ops.payout_state set paid_through = $1", [self.span.first - ONE_DAY]
                )

    def target(self) -> int:
        """The position up to which to build; seen from within a transaction of the first lake."""
        state = _complete_state(self.live)
        if self.span is None:
            return state.contiguous_position
        row = self.live.execute(
            "select count(*), max(position) from ledger.certificates"
            " where business_date between $1 and $2",
            [self.span.first, self.span.last],
        ).fetchone()
        assert row is not None, "an aggregate always has a row"
        if row[0] != (self.span.last - self.span.first).days + 1:
            raise RebuildError(
                f"not every day from {self.span.first} to {self.span.last} is closed and certified"
            )
        return int(row[1])

    def build(self, target: int) -> None:
        """Bring the log up to a position into the second lake."""
        state = read_state(self.shadow)
        while state.contiguous_position < target:
            rows = read_log(self.live, self.log.read_page, state.contiguous_position, target)
            if not rows or rows[0].position != state.contiguous_position + 1:
                raise RebuildError(f"the event log lacks position {state.contiguous_position + 1}")
            state = apply_missing(self.shadow, rows, state=state).state
            self.report_progress(state.contiguous_position - self.start, target - self.start)
        apply_discards(self.shadow, self.log.discards)

    def pay(self) -> None:
        """Pay what the first lake has paid."""
        row = self.live.execute("select paid_through from ops.payout_state").fetchone()
        assert row is not None, "ops.payout_state must have a row"
        paid_through: dt.date | None = row[0]
        if paid_through is None:
            return
        if self.span is not None:
            paid_through = min(paid_through, self.span.last)
        try:
            pay_due_days(self.shadow, through=paid_through)
        except CertificateMismatch as error:
            raise RebuildError(f"in the rebuilt lake {error}") from error


def _finish(
    live: duckdb.DuckDBPyConnection, shadow_settings: LakeSettings, builder: _Builder, swap: Swap
) -> Rebuild:
    """Pin a snapshot of the first lake, catch up with it, compare, and swap."""
    try:
        with _pinned(live, is_read_only=swap is Swap.NEVER):
            target = builder.target()
            with contextlib.closing(connect(shadow_settings)) as builder.shadow:
                builder.build(target)
                builder.pay()
            _attach(live, shadow_settings)
            tables = [each for each in FOLLOWING_FROM_THE_LOG if builder.span is None or each.days]
            comparisons = [_compare(live, each, builder, target) for each in tables]
            is_identical = all(each.is_identical for each in comparisons)
            is_swapped = swap is Swap.ALWAYS or (swap is Swap.IF_IDENTICAL and is_identical)
            if is_swapped:
                swap_in(live)
    except duckdb.IOException as error:
        raise RebuildError(
            f"a file of the lake is gone: comparing outlived its snapshot ({error}); pause the"
            " sensor ingest_window, which forgets old snapshots, or compare a span of days"
        ) from error
    finally:
        live.execute("detach database if exists rebuilt")
    return Rebuild(comparisons, target, is_swapped)


@contextlib.contextmanager
def _pinned(live: duckdb.DuckDBPyConnection, *, is_read_only: bool) -> Iterator[None]:
    if not is_read_only:
        with transaction(live):
            yield
        return
    live.execute("begin")
    try:
        yield
    finally:
        live.execute("rollback")


def _attach(live: duckdb.DuckDBPyConnection, shadow: LakeSettings) -> None:
    """Show the second lake as `rebuilt` beside the first."""
    catalog = shadow.lake_catalog_url.removeprefix("duckdb:///")
    live.execute(
        f"attach 'ducklake:{catalog}' as rebuilt (data_path '{shadow.lake_data_path}/', read_only)"
    )


def _last_position_before(connection: duckdb.DuckDBPyConnection, first: dt.date) -> int:
    """Position of the last event before a business day: the certificate of the day before it."""
    row = connection.execute(
        "select coalesce(max(position), 0) from ledger.certificates where business_date < $1",
        [first],
    ).fetchone()
    assert row is not None, "an aggregate always has a row"
    return int(row[0])


def _complete_state(connection: duckdb.DuckDBPyConnection) -> IngestState:
    state = read_state(connection)
    if state.last_position > state.contiguous_position:
        raise RebuildError(
            f"position {state.contiguous_position + 1} has not arrived yet, although later ones"
            " have; wait until ingest has caught up"
        )
    return state


def _compare(
    connection: duckdb.DuckDBPyConnection, table: LakeTable, builder: _Builder, target: int
) -> TableComparison:
    assert table.meaning is not None, f"{table.full_name} does not follow from the log"
    cut = ""
    if builder.span is not None:
        first, last = builder.span.first, builder.span.last
        cut = (
            f" where position > {builder.start} and position <= {target}"
            if table.days == "position"
            else f" where business_date between '{first}' and '{last}'"
        )
    ours, theirs = (
        f"select * from ({table.meaning.format(name)}){cut}"  # noqa: S608 - all ours
        for name in ("lake", "rebuilt")
    )
    counts = [
        connection.execute(f"select count(*) from ({select})").fetchone()  # noqa: S608 - all ours
        for select in (
            ours,
            f"({ours}) except all ({theirs})",
            f"({theirs}) except all ({ours})",
        )
    ]
    return TableComparison(table.full_name, *(int(row[0]) for row in counts if row is not None))
