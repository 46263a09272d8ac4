"""What is kept about tasks equals the fold of the log, however it came and whatever upkeep did."""

from random import Random

import duckdb
import pytest

from tests.warehouse.task_books import TaskBooks, keep_books
from tests.warehouse.world import Broker, World
from warehouse.ingest import apply_batch, apply_missing
from warehouse.upkeep import tend

Lake = duckdb.DuckDBPyConnection


def kept(lake: Lake) -> TaskBooks:
    """The lake's tables as books; `finished` stays empty."""
    books = TaskBooks()
    for date, *counts in lake.execute(
        "select business_date, sum(count_created), sum(count_assigned), sum(count_reassigned),"
        " sum(count_completed) from marts.task_days group by business_date"
    ).fetchall():
        columns = (books.created, books.assigned, books.reassigned, books.completed)
        for column, count in zip(columns, counts, strict=True):
            if count:
                column[date] = count
    books.open = dict(
        lake.execute(
            "select task_id, max(created_at) from marts.unfinished_tasks group by task_id"
            " having max(completed_at) is null"
        ).fetchall()
    )
    return books


def kept_groups(lake: Lake) -> dict[object, object]:
    rows = lake.execute(
        "select business_date, within_hours, assignments, sum(count_tasks),"
        " sum(count_assignments), sum(seconds) from marts.completions group by all"
    ).fetchall()
    return {row[:3]: row[3:] for row in rows}


def assert_equal(lake: Lake, world: World) -> None:
    expected = keep_books(world.log)
    found = kept(lake)
    assert kept_groups(lake) == expected.groups()
    for name in ("created", "assigned", "reassigned", "completed", "open"):
        nonzero = {key: value for key, value in getattr(expected, name).items() if value}
        assert getattr(found, name) == nonzero, name


@pytest.mark.parametrize("seed", range(2))
def test_batches_of_any_size_and_upkeep_between_them_add_up(lake: Lake, seed: int) -> None:
    rng, world = Random(seed), World(seed)
    world.hire(4)
    world.live(days=9, steps=30)
    broker, done = Broker(), 0
    while done < len(world.log):
        size = rng.randrange(1, 120)
        apply_batch(lake, broker.publish(world.log[done : done + size]))
        done += size
        if rng.random() < 0.5:
            tend(lake, 500)
        assert_equal(lake, World(seed, log=world.log[:done]))


def test_a_completion_that_arrives_before_its_creation_is_counted_in_the_end(lake: Lake) -> None:
    world = World(3)
    world.hire(1)
    task = world.create_task()
    world.reassign_all()
    world.complete(task)
    apply_missing(lake, world.log[3:])
    tend(lake, 500)
    assert (kept_groups(lake), kept(lake).open) == ({}, {})

    apply_missing(lake, world.log[:3])
    assert_equal(lake, world)
    tend(lake, 500)
    assert_equal(lake, world)


def test_upkeep_leaves_one_row_a_day_a_group_and_an_open_task(lake: Lake, world: World) -> None:
    broker, done = Broker(), 0
    for _ in range(6):
        world.work(12)
        apply_batch(lake, broker.publish(world.log[done:]))
        done = len(world.log)
    tend(lake, 500)

    counts = lake.execute(
        "select (select count(*) from marts.task_days),"
        " (select count(*) from marts.unfinished_tasks),"
        " (select count(*) - count(distinct (business_date, within_hours, assignments))"
        "  from marts.finished_tasks)"
    ).fetchone()
    assert counts == (1, len(world.tasks), 0)
    assert len(world.tasks) > 0
