"""The event log alone gives the same lake, however its records once came."""

import datetime as dt
import itertools
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import duckdb
import hypothesis
import hypothesis.strategies as st
import pyarrow as pa
import pytest

from tests.warehouse.world import FIRST_DATE, Broker, World, record, table
from warehouse import rebuild as rebuilding
from warehouse import swap
from warehouse.ingest import LogRow, apply_batch, apply_missing
from warehouse.lake import connect, create_tables
from warehouse.lake_tables import FOLLOWING_FROM_THE_LOG
from warehouse.payouts import pay_due_days
from warehouse.quarantine import read_quarantine
from warehouse.quarantine_retry import retry
from warehouse.rebuild import EventLog, RebuildError, Span, Swap, rebuild
from warehouse.settings import LakeSettings
from warehouse.upkeep import tend

Lake = duckdb.DuckDBPyConnection
PAGE_ROWS = 70


def reader(rows: list[LogRow]):  # type: ignore[no-untyped-def]
    return lambda after, through: rows[after : min(through, after + PAGE_ROWS)]


def compare(settings: LakeSettings, rows: list[LogRow], folder: Path) -> dict[str, tuple[int, int]]:
    found = rebuild(settings, EventLog(reader(rows)), folder).comparisons
    assert [each.table for each in found] == [each.full_name for each in FOLLOWING_FROM_THE_LOG]
    return {
        each.table: (each.count_missing, each.count_surplus)
        for each in found
        if not each.is_identical
    }


STEPS = st.lists(
    st.tuples(
        st.integers(5, 60),
        st.sampled_from(["nothing", "nothing", "pay", "tend", "both"]),
    ),
    min_size=5,
    max_size=12,
)


@hypothesis.settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(steps=STEPS, seed=st.integers(0, 10**6))
def test_batches_cut_anywhere_and_delivered_again_give_the_same_lake(
    steps: list[tuple[int, str]], seed: int
) -> None:
    rng = Random(seed)
    world = World(seed)
    world.hire(4)
    world.live(days=4)
    lost = rng.choice(world.log).position
    log = [LogRow(lost, row.topic, b"{}") if row.position == lost else row for row in world.log]
    records = Broker().publish([row for row in world.log if row.position != lost])
    order = [record for number in range(6) for record in _some_partitions(records, number)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        settings = LakeSettings(
            lake_catalog_url=f"duckdb:///{folder / 'catalog'}", lake_data_path=str(folder / "lake")
        )
        with connect(settings) as lake:
            create_tables(lake)
            _bring(lake, order, steps, rng)
            apply_missing(lake, log)
            retry(lake, lambda positions: [world.log[each - 1] for each in positions])
            pay_due_days(lake)

        assert compare(settings, world.log, folder) == {}


def _bring(lake: Lake, order: list[pa.Table], steps: list[tuple[int, str]], rng: Random) -> None:
    """All records in batches of these sizes, some again, with other work between them."""
    done = 0
    for size, between in itertools.cycle(steps):
        if done >= len(order):
            return
        again = rng.sample(order[:done], min(done, 5))
        apply_batch(lake, pa.concat_tables([*again, *order[done : done + size]]))
        done += size
        if between in ("pay", "both"):
            pay_due_days(lake)
        if between in ("tend", "both"):
            tend(lake, 500)


def _some_partitions(records: pa.Table, number: int) -> list[pa.Table]:
    """One partition's records as tables of one row, so that partitions may run ahead."""
    places = sorted({(each["topic"], each["partition"]) for each in records.to_pylist()})
    if number >= len(places):
        return []
    return [
        records.slice(row, 1)
        for row, each in enumerate(records.to_pylist())
        if (each["topic"], each["partition"]) == places[number]
    ]


def test_a_broken_row_of_the_log_is_quarantined_alike(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    world.work(5)
    world.log[4] = LogRow(5, world.log[4].topic, b"junk")
    sound = [row for row in world.log if row.position != 5]
    garbled = table(record(b"junk", 5, (world.log[4].topic, 0), 77))
    apply_batch(lake, pa.concat_tables([Broker().publish(sound), garbled]))
    apply_missing(lake, world.log)

    assert compare(lake_settings, world.log, tmp_path) == {}


def test_a_tampered_lake_is_told_from_the_rebuilt_one(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    world.live(days=3)
    apply_batch(lake, Broker().publish(world.log))
    pay_due_days(lake)
    lake.execute(
        "update ledger.payouts set amount_cents = amount_cents + 1"
        " where entry_id = (select min(entry_id) from ledger.payouts)"
    )
    lake.execute("delete from raw.events where position = 3")
    lake.execute("insert into marts.finished_tasks values ('2020-01-01', 1, 1, 1, 1, 60)")
    lake.execute("insert into marts.unfinished_tasks (task_id, created_at) values (uuid(), now())")

    assert compare(lake_settings, world.log, tmp_path) == {
        "ledger.payouts": (1, 1),
        "marts.finished_tasks": (1, 0),
        "marts.unfinished_tasks": (1, 0),
        "raw.events": (0, 1),
    }


def test_a_lake_with_a_gap_cannot_be_compared(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    apply_batch(lake, Broker().publish(world.log[2:]))

    with pytest.raises(RebuildError, match="position 1 has not arrived"):
        compare(lake_settings, world.log, tmp_path)


def test_a_log_with_a_hole_is_named(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    apply_batch(lake, Broker().publish(world.log))

    with pytest.raises(RebuildError, match="lacks position 1"):
        compare(lake_settings, world.log[1:], tmp_path)


def test_a_comparison_that_outlives_its_snapshot_says_so(
    lake: Lake,
    world: World,
    lake_settings: LakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apply_batch(lake, Broker().publish(world.log))
    attach = rebuilding._attach

    def forget_files(live: Lake, shadow: LakeSettings) -> None:
        attach(live, shadow)
        for file in Path(lake_settings.lake_data_path).rglob("*.parquet"):
            file.unlink()

    monkeypatch.setattr(rebuilding, "_attach", forget_files)
    with pytest.raises(RebuildError, match="outlived its snapshot"):
        compare(lake_settings, world.log, tmp_path)


def day(number: int) -> dt.date:
    return FIRST_DATE + dt.timedelta(days=number)


def test_a_span_starts_from_the_balances_before_it(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    world.live(days=6)
    world.work(5)
    apply_missing(lake, world.log)
    pay_due_days(lake, through=day(4))
    folders = [tmp_path / name for name in ("middle", "start", "open", "tampered")]
    for folder in folders:
        folder.mkdir()
    log = EventLog(reader(world.log))

    middle = rebuild(lake_settings, log, folders[0], span=Span(day(2), day(5)))
    start = rebuild(lake_settings, log, folders[1], span=Span(day(0), day(1)))
    with pytest.raises(RebuildError, match="not every day from"):
        rebuild(lake_settings, log, folders[2], span=Span(day(5), day(6)))
    lake.execute(
        "delete from ledger.postings where kind = 'payout' and business_date = $1", [day(3)]
    )
    tampered = rebuild(lake_settings, log, folders[3], span=Span(day(3), day(3)))

    assert (middle.is_identical, start.is_identical) == (True, True)
    rows = {each.table: each.count_rows for each in middle.comparisons}
    assert 0 < rows["raw.events"] < len(world.log)
    assert rows["ledger.paid_days"] == 3
    assert [each.table for each in tampered.comparisons if not each.is_identical] == [
        "ledger.postings"
    ]


def test_rebuilt_rows_take_the_place_of_others_only_as_asked(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    world.live(days=3)
    broken = [LogRow(4, row.topic, b"{}") if row.position == 4 else row for row in world.log]
    apply_missing(lake, broken)
    apply_batch(lake, table(record(b"stray", None)))
    folders = [tmp_path / name for name in ("careful", "bold", "again")]
    for folder in folders:
        folder.mkdir()
    log = EventLog(reader(world.log))

    careful = rebuild(lake_settings, log, folders[0], swap=Swap.IF_IDENTICAL)
    bold = rebuild(lake_settings, log, folders[1], swap=Swap.ALWAYS)
    paid = pay_due_days(lake)
    again = rebuild(lake_settings, log, folders[2], swap=Swap.IF_IDENTICAL)

    assert (careful.is_identical, careful.is_swapped) == (False, False)
    assert (bold.is_identical, bold.is_swapped) == (False, True)
    assert (again.is_identical, again.is_swapped) == (True, True)
    assert len(paid) == 3
    states = [each.state for each in read_quarantine(lake)]
    assert sorted(states) == ["retried", "unconfirmed"], "nothing that happened is forgotten"
    world.work(3)
    assert apply_missing(lake, world.log).count_events > 0, "ingest goes on after a swap"


def test_a_swap_that_meets_a_writer_begins_again(
    lake: Lake,
    world: World,
    lake_settings: LakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.live(days=2)
    half = len(world.log) // 2
    apply_missing(lake, world.log[:half])
    original = swap.sync_new_files

    def sync_after_a_rival(connection: Lake) -> int:
        monkeypatch.setattr(swap, "sync_new_files", original)
        apply_missing(lake, world.log[half:])
        return original(connection)

    monkeypatch.setattr(swap, "sync_new_files", sync_after_a_rival)
    found = rebuild(lake_settings, EventLog(reader(world.log)), tmp_path, swap=Swap.IF_IDENTICAL)

    assert (found.is_swapped, found.through) == (True, len(world.log))
    assert lake.execute("select count(*) from raw.events").fetchone() == (len(world.log),)
