"""When events count as lost, and what the log then gives."""

import datetime as dt

import numpy as np
import pytest
import sqlalchemy as sa

from pipelines.ingest import healing
from pipelines.ingest.healing import StallWatch, is_lost, read_missing, read_published_position
from tests.ops_api.relays import RelayWorld
from tests.pipelines.ingest_world import IngestWorld
from tests.warehouse.world import World
from warehouse.state import IngestState, Partition, PartitionState

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
TASKS: Partition = ("tasks", 0)


def state_at(contiguous: int, **partitions: PartitionState) -> IngestState:
    return IngestState(
        epoch=1,
        contiguous_position=contiguous,
        last_position=contiguous,
        committed_at=NOW,
        partitions={("tasks", int(name[1:])): each for name, each in partitions.items()},
        pending=np.empty(0, dtype=np.int64),
    )


@pytest.mark.parametrize(
    ("partition", "end", "expected"),
    [
        (PartitionState(next_offset=5, last_position=9), 5, True),  # read to its end
        (PartitionState(next_offset=5, last_position=9), 6, False),  # the gap may be in the rest
        (PartitionState(next_offset=5, last_position=12), 6, True),  # has brought a later one
        (PartitionState(next_offset=5, last_position=11), 6, False),  # that is the gap itself
        (PartitionState(next_offset=7, last_position=9), 2, True),  # wiped, nothing new
    ],
)
def test_an_event_is_lost_when_no_partition_can_bring_it(
    partition: PartitionState, end: int, expected: bool
) -> None:
    assert is_lost(state_at(10, p0=partition), {TASKS: end}) is expected


def test_a_partition_never_read_may_still_bring_the_event() -> None:
    assert not is_lost(state_at(10), {TASKS: 1})
    assert is_lost(state_at(10), {TASKS: 0})


def test_a_broker_that_does_not_answer_brings_nothing() -> None:
    assert is_lost(state_at(10), {})


def test_a_stall_is_noticed_after_a_while_and_forgotten_with_progress() -> None:
    seconds = iter([0.0, 3.0, 5.0, 6.0, 9.0, 12.0])
    watch = StallWatch(stall_seconds=5.0, clock=lambda: next(seconds))

    assert not watch.is_stalled(10, 20)  # at 0
    assert not watch.is_stalled(10, 20)  # at 3
    assert watch.is_stalled(10, 20)  # at 5
    assert not watch.is_stalled(11, 20)  # at 6: it moved
    assert not watch.is_stalled(20, 20)  # at 9: nothing to wait for
    assert not watch.is_stalled(20, 25)  # at 12: the wait begins anew


def test_missing_rows_come_in_pages_up_to_what_was_published(
    database_url: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    company = World()
    company.hire(9)
    tracker = sa.create_engine(database_url)
    world = IngestWorld(RelayWorld(tracker, environment, server=None), company)  # type: ignore[arg-type]
    world.commit()
    world.number()
    monkeypatch.setattr(healing, "ROWS_MAX", 4)

    assert read_published_position(tracker) == 0
    assert read_missing(tracker, 2, 8) == company.log[2:6]
    assert read_missing(tracker, 6, 8) == company.log[6:8]
    assert read_missing(tracker, 8, 8) == []
    tracker.dispose()
