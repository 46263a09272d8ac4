"""A batch of records becomes ledger rows: all of it, once, or nothing of it."""

import datetime as dt

import duckdb
import pyarrow as pa
import pytest

from contracts import registry
from tests.warehouse.world import Broker, World, record, table
from warehouse.ingest import RECORDS, apply_batch, apply_missing
from warehouse.lake import RivalError, connect
from warehouse.settings import LakeSettings
from warehouse.state import read_state

Lake = duckdb.DuckDBPyConnection


def balances(lake: Lake) -> dict[str, int]:
    return dict(lake.execute("select account, balance_cents from marts.balances").fetchall())


def count(lake: Lake, table_name: str) -> int:
    row = lake.execute(f"select count(*) from {table_name}").fetchone()
    assert row is not None
    return int(row[0])


def test_the_books_of_the_lake_are_those_of_the_company(lake: Lake, world: World) -> None:
    world.work(60)

    result = apply_batch(lake, Broker().publish(world.log))

    assert result.count_events == len(world.log)
    assert result.contiguous_position == len(world.log)
    found = balances(lake)
    assert found.pop("company") == sum(world.earnings.values())
    assert found == {str(key): value for key, value in world.balances.items()}
    assert lake.execute("select sum(amount_cents) from ledger.postings").fetchone() == (0,)


def test_our_own_events_need_no_python(lake: Lake, world: World) -> None:
    world.work(40)

    result = apply_batch(lake, Broker().publish(world.log))

    assert result.count_judged == len(world.employees)


def test_kafka_buffers_are_read_in_place(lake: Lake, world: World) -> None:
    world.work(40)
    records = Broker().publish(world.log)
    views = records.set_column(5, "value", records["value"].cast(pa.binary_view()))

    assert apply_batch(lake, views).count_events == len(world.log)


def test_every_record_delivered_three_times_counts_once(lake: Lake, world: World) -> None:
    world.work(30)
    once = Broker().publish(world.log)
    thrice = pa.concat_tables([once, once, once])

    first = apply_batch(lake, thrice)
    again = apply_batch(lake, thrice)

    assert (first.count_events, first.count_duplicates) == (len(world.log), 2 * len(world.log))
    assert (again.count_events, again.count_duplicates) == (0, 3 * len(world.log))
    assert count(lake, "raw.events") == len(world.log)


def test_a_topic_replayed_from_zero_brings_nothing_twice(lake: Lake, world: World) -> None:
    world.work(30)
    half = len(world.log) // 2
    broker = Broker()
    apply_batch(lake, broker.publish(world.log[:half]))
    apply_batch(lake, broker.publish(world.log[half:]))

    replay = apply_batch(lake, Broker().publish(world.log[:half]))

    assert (replay.count_events, replay.count_duplicates) == (0, half)
    assert replay.offsets["tasks", 0] < broker.offsets["tasks", 0]


def test_a_topic_with_other_partitions_brings_nothing_twice(lake: Lake, world: World) -> None:
    world.work(30)
    records = Broker().publish(world.log)
    apply_batch(lake, records.slice(0, 20))  # leaves gaps, so the log is not contiguous
    elsewhere = records.set_column(1, "partition", pa.array([9] * len(records), pa.int32()))

    result = apply_batch(lake, elsewhere)

    assert result.count_events == len(world.log) - 20
    assert result.contiguous_position == len(world.log)


def test_a_gap_holds_the_contiguous_position_until_it_is_filled(lake: Lake, world: World) -> None:
    world.work(10)
    broker = Broker()
    early, missing, late = world.log[:4], world.log[4:6], world.log[6:]
    apply_batch(lake, broker.publish(early))

    ahead = apply_batch(lake, broker.publish(late))
    filled = apply_missing(lake, missing)

    assert (ahead.contiguous_position, ahead.state.last_position) == (4, len(world.log))
    assert read_state(lake).pending.tolist() == []
    assert filled.contiguous_position == len(world.log)


def test_what_is_healed_is_dropped_when_the_broker_brings_it_after_all(
    lake: Lake, world: World
) -> None:
    world.work(10)
    apply_missing(lake, world.log)

    late = apply_batch(lake, Broker().publish(world.log))

    assert (late.count_events, late.count_duplicates) == (0, len(world.log))


def test_a_lost_batch_leaves_nothing_and_the_next_one_goes_through(
    lake: Lake, world: World, lake_settings: LakeSettings
) -> None:
    world.work(10)
    stale = read_state(lake)
    apply_batch(lake, Broker().publish(world.log[:5]))
    files = sorted(
        lake.execute(
            "select data_file from ducklake_list_files('lake', 'events', schema => 'raw')"
        ).fetchall()
    )

    with pytest.raises(RivalError):
        apply_batch(lake, Broker().publish(world.log), state=stale)

    assert count(lake, "raw.events") == 5
    assert files == sorted(
        lake.execute(
            "select data_file from ducklake_list_files('lake', 'events', schema => 'raw')"
        ).fetchall()
    )
    assert apply_batch(lake, Broker().publish(world.log)).count_events == len(world.log) - 5


def test_of_two_ingesters_with_the_same_batch_one_wins(
    lake: Lake, world: World, lake_settings: LakeSettings
) -> None:
    world.work(10)
    records = Broker().publish(world.log)
    rival = connect(lake_settings)
    state = read_state(lake)

    # The rival commits between our guard and our commit.
    lake.execute("begin")
    lake.execute("update ops.ingest_state set epoch = epoch + 1 where epoch = $1", [state.epoch])
    apply_batch(rival, records)
    with pytest.raises(duckdb.TransactionException):
        lake.execute("commit")
    rival.close()

    assert apply_batch(lake, records).count_duplicates == len(world.log)
    assert count(lake, "raw.events") == len(world.log)


def test_the_title_stands_on_the_employees_leg_only(lake: Lake, world: World) -> None:
    world.create_task('say "hello" \\ and leave')
    apply_batch(lake, Broker().publish(world.log))

    rows = lake.execute(
        "select account = 'company', title, amount_cents > 0 from ledger.postings order by 1"
    ).fetchall()

    assert rows == [(False, 'say "hello" \\ and leave', False), (True, None, True)]


def test_version_1_of_a_task_is_read_as_the_newest_and_kept_as_it_was(
    lake: Lake, world: World
) -> None:
    world.create_task("[popug-7] - feed the cat", version=1)
    apply_batch(lake, Broker().publish(world.log))

    assert lake.execute("select jira_id, title from marts.tasks_created").fetchall() == [
        ("POPUG-7", "feed the cat")
    ]
    assert lake.execute(
        "select version, data like '%[popug-7] - feed%' from raw.events where type = 'task.created'"
    ).fetchall() == [(1, True)]


def test_the_raw_data_are_the_published_bytes(lake: Lake, world: World) -> None:
    world.work(10)
    world.close_day()
    apply_batch(lake, Broker().publish(world.log))

    kept = dict(lake.execute("select position, data from raw.events").fetchall())

    assert kept == {
        row.position: bytes(registry.decode(row.body)[0].data).decode() for row in world.log
    }


def test_times_and_dates_come_back_as_they_were(lake: Lake, world: World) -> None:
    world.create_task()
    apply_batch(lake, Broker().publish(world.log))

    kept = lake.execute(
        "select occurred_at, business_date from raw.events order by position"
    ).fetchall()

    envelopes = [registry.decode(row.body)[0] for row in world.log]
    assert kept == [(each.time.astimezone(dt.UTC), each.businessdate) for each in envelopes]


def test_an_empty_batch_changes_only_the_epoch(lake: Lake) -> None:
    result = apply_batch(lake, RECORDS.empty_table())

    assert (result.count_events, result.state.epoch) == (0, 1)


def test_the_dearest_task_of_a_day_is_among_the_candidates(lake: Lake, world: World) -> None:
    for _ in range(8):
        world.create_task()
    rewards = [task.reward_cents for task in world.tasks]
    for task in list(world.tasks):
        world.complete(task)
    broker = Broker()
    apply_batch(lake, broker.publish(world.log[:12]))
    apply_batch(lake, broker.publish(world.log[12:]))

    assert lake.execute("select max(reward_cents) from marts.dearest_tasks").fetchone() == (
        max(rewards),
    )


def test_a_position_made_up_by_a_broken_record_shadows_nothing(lake: Lake, world: World) -> None:
    world.work(5)
    junk = table(record(b"junk", 1), record(b"junk too", 10**15, offset=1))

    apply_batch(lake, junk)
    result = apply_batch(lake, Broker().publish(world.log))

    assert result.count_events == len(world.log)
    assert result.contiguous_position == len(world.log)
