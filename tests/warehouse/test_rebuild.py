"""The event log alone gives the same lake, however its records once came."""

from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pytest

from tests.warehouse.world import Broker, World, record, table
from warehouse.ingest import LogRow, apply_batch, apply_missing
from warehouse.lake_tables import FOLLOWING_FROM_THE_LOG
from warehouse.payouts import pay_due_days
from warehouse.rebuild import RebuildError, rebuild_and_compare
from warehouse.settings import LakeSettings
from warehouse.upkeep import tend

Lake = duckdb.DuckDBPyConnection
PAGE_ROWS = 70


def reader(rows: list[LogRow]):  # type: ignore[no-untyped-def]
    return lambda after, through: rows[after : min(through, after + PAGE_ROWS)]


def compare(settings: LakeSettings, rows: list[LogRow], folder: Path) -> dict[str, tuple[int, int]]:
    found = list(rebuild_and_compare(settings, reader(rows), folder))
    assert [each.table for each in found] == [each.full_name for each in FOLLOWING_FROM_THE_LOG]
    return {
        each.table: (each.count_missing, each.count_surplus)
        for each in found
        if not each.is_identical
    }


@pytest.mark.parametrize("seed", range(3))
def test_batches_cut_anywhere_and_delivered_again_give_the_same_lake(
    lake: Lake, lake_settings: LakeSettings, tmp_path: Path, seed: int
) -> None:
    rng = Random(seed)
    world = World(seed)
    world.hire(4)
    world.live(days=8)
    records = Broker().publish(world.log)
    order = [record for number in range(6) for record in _some_partitions(records, number)]
    done = 0
    while done < len(order):
        size = rng.randrange(1, 60)
        again = rng.sample(order[:done], min(done, 5))
        apply_batch(lake, pa.concat_tables([*again, *order[done : done + size]]))
        done += size
        if rng.random() < 0.2:
            pay_due_days(lake)
        if rng.random() < 0.2:
            tend(lake, 500)
    pay_due_days(lake)

    assert compare(lake_settings, world.log, tmp_path) == {}


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
