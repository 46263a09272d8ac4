"""What is read again ends as if it had been good at first; what is discarded is done without."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import pytest

from contracts.registry import BrokenEventError, decode
from tests.warehouse.world import FIRST_DATE, Broker, World, record, table
from warehouse import judge, quarantine_retry
from warehouse.ingest import LogRow, apply_batch, apply_missing
from warehouse.lake import connect
from warehouse.payouts import CertificateMismatch, pay_due_days
from warehouse.quarantine import (
    Discard,
    QuarantineError,
    apply_discards,
    discard_stray,
    read_one,
    read_quarantine,
)
from warehouse.quarantine_retry import RetryResult, retry
from warehouse.rebuild import EventLog, RebuildError, rebuild
from warehouse.settings import LakeSettings

Lake = duckdb.DuckDBPyConnection
TYPES = (
    "employee.registered",
    "task.created",
    "task.assigned",
    "task.completed",
    "business_day.closed",
)


def rows_at(log: Sequence[LogRow]) -> Callable[[Sequence[int]], list[LogRow]]:
    return lambda positions: [log[position - 1] for position in positions]


def event_log(log: Sequence[LogRow], discards: Sequence[Discard] = ()) -> EventLog:
    return EventLog(lambda after, through: list(log[after:through]), discards)


def broken(row: LogRow) -> LogRow:
    return LogRow(row.position, row.topic, row.body[:-2])


def first_of(log: Sequence[LogRow], event_type: str) -> int:
    return next(row.position for row in log if decode(row.body)[0].type == event_type)


def differences(settings: LakeSettings, log: EventLog, folder: Path) -> dict[str, tuple[int, int]]:
    return {
        each.table: (each.count_missing, each.count_surplus)
        for each in rebuild(settings, log, folder).comparisons
        if not each.is_identical
    }


def payouts(lake: Lake) -> dict[tuple[dt.date, object], int]:
    rows = lake.execute("select business_date, employee_id, amount_cents from ledger.payouts")
    return {(row[0], row[1]): row[2] for row in rows.fetchall()}


def states(lake: Lake) -> list[str]:
    return sorted(each.state for each in read_quarantine(lake))


def test_events_read_later_leave_the_lake_as_if_they_had_been_good_at_first(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    world.live(days=5, steps=30)
    lost = {first_of(world.log, event_type) for event_type in TYPES}
    log = [broken(row) if row.position in lost else row for row in world.log]
    apply_batch(lake, Broker().publish([row for row in world.log if row.position not in lost]))
    apply_missing(lake, log)
    with pytest.raises(CertificateMismatch, match="wait in quarantine"):
        pay_due_days(lake)

    result = retry(lake, rows_at(world.log))
    pay_due_days(lake)

    assert result == RetryResult(count_retried=len(TYPES), count_broken=0)
    assert states(lake) == ["retried"] * len(TYPES)
    assert payouts(lake) == world.payouts
    assert differences(lake_settings, event_log(world.log), tmp_path) == {}


def test_a_version_of_the_future_is_lifted_when_the_program_has_learnt_it(
    lake: Lake, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old_decode(body: bytes) -> object:
        if b"task.created/1" in body:
            raise BrokenEventError("unknown-version", "task.created/1")
        return decode(body)

    task = world.create_task("[POPUG-7] - sweep", version=1)
    world.complete(task)
    monkeypatch.setattr(judge, "decode", old_decode)
    apply_missing(lake, world.log)
    waiting = lake.execute("select count(*) from ledger.postings").fetchone()

    still = retry(lake, rows_at(world.log))
    monkeypatch.undo()
    read = retry(lake, rows_at(world.log))

    assert waiting == (4,), "later events of the task did not wait"
    assert (still, read) == (RetryResult(0, 1), RetryResult(1, 0))
    (found,) = read_quarantine(lake)
    assert (found.state, found.attempts, found.reason) == ("retried", 2, "unknown-version")
    assert lake.execute("select jira_id, title from marts.tasks_created").fetchall() == [
        ("POPUG-7", "sweep")
    ]


def test_a_discarded_event_is_done_without_and_its_day_is_paid(
    lake: Lake, world: World, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    world.live(days=3, steps=30)
    position = first_of(world.log, "task.completed")
    reward_cents = decode(world.log[position - 1].body)[1].reward_cents  # type: ignore[attr-defined]
    log = [broken(row) if row.position == position else row for row in world.log]
    apply_missing(lake, log)
    day = decode(world.log[position - 1].body)[0].businessdate
    discard = Discard(position, day, 0, reward_cents, "no longer readable", "ada", _noon())

    counts = [apply_discards(lake, [discard]) for _ in range(2)]
    paid = pay_due_days(lake)

    assert counts == [1, 0]
    assert len(paid) == 3
    (found,) = read_quarantine(lake)
    assert (found.state, found.settled_by, found.settled_because) == (
        "discarded",
        "ada",
        "no longer readable",
    )
    assert found.record == log[position - 1].body
    assert retry(lake, rows_at(world.log)) == RetryResult(0, 0)
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    assert differences(lake_settings, event_log(log, [discard]), tmp_path / "with") == {}
    with pytest.raises(RebuildError, match=f"{FIRST_DATE} is not paid"):
        differences(lake_settings, event_log(log), tmp_path / "without")


def test_only_the_chosen_records_are_read_again(lake: Lake, world: World) -> None:
    world.work(20)
    log = [broken(row) if row.position in (7, 9) else row for row in world.log]
    apply_missing(lake, log)
    seven = next(each for each in read_quarantine(lake) if each.position == 7)

    result = retry(lake, rows_at(world.log), only=[seven.quarantine_id])

    assert result == RetryResult(1, 0)
    assert states(lake) == ["retried", "waiting"]
    with pytest.raises(QuarantineError, match="lacks position 9"):
        retry(lake, lambda _: [])


def test_two_who_retry_at_once_read_each_event_once(
    lake: Lake, world: World, lake_settings: LakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.work(20)
    apply_missing(lake, [broken(row) if row.position in (7, 9) else row for row in world.log])
    original = quarantine_retry.sync_new_files

    def sync_after_a_rival(connection: Lake) -> int:
        monkeypatch.setattr(quarantine_retry, "sync_new_files", original)
        with connect(lake_settings) as rival:
            assert retry(rival, rows_at(world.log)) == RetryResult(2, 0)
        return original(connection)

    monkeypatch.setattr(quarantine_retry, "sync_new_files", sync_after_a_rival)

    assert retry(lake, rows_at(world.log)) == RetryResult(0, 0)
    assert lake.execute("select count(*), count(distinct position) from raw.events").fetchone() == (
        len(world.log),
        len(world.log),
    )


def test_a_stray_record_is_healed_or_unconfirmed_and_can_be_discarded(
    lake: Lake, world: World
) -> None:
    world.work(5)
    junk = table(record(b"junk", 3), record(b"trash", None, offset=1))
    apply_batch(lake, junk)
    before = states(lake)
    apply_missing(lake, world.log)

    assert (before, states(lake)) == (["unconfirmed"] * 2, ["healed", "unconfirmed"])
    assert retry(lake, rows_at(world.log)) == RetryResult(0, 0), "the log has nothing to bring"

    for each in read_quarantine(lake):
        found = read_one(lake, str(each.quarantine_id)[:13])
        discard_stray(lake, found, reason="somebody's test", discarded_by="ada")
        with pytest.raises(QuarantineError, match="discarded"):
            discard_stray(
                lake, read_one(lake, str(each.quarantine_id)), reason="", discarded_by="bob"
            )

    assert states(lake) == ["discarded"] * 2
    with pytest.raises(QuarantineError, match="no record"):
        read_one(lake, "zzz")
    with pytest.raises(QuarantineError, match="2 records"):
        read_one(lake, "")


def test_a_stray_record_that_the_log_turns_out_to_hold_needs_a_decision_of_its_own(
    lake: Lake, world: World
) -> None:
    world.work(5)
    apply_batch(lake, table(record(b"junk", 3, (world.log[2].topic, 0))))
    (stray,) = read_quarantine(lake)
    discard_stray(lake, stray, reason="looks like junk", discarded_by="ada")

    apply_missing(lake, [*world.log[:2], LogRow(3, world.log[2].topic, b"junk"), *world.log[3:]])

    (found,) = read_quarantine(lake)
    assert (found.quarantine_id, found.state) == (stray.quarantine_id, "waiting")


def _noon() -> dt.datetime:
    return dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
