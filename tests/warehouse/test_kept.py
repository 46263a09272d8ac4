"""The copy of the kept aggregates says what the lake says, whatever happened to it meanwhile."""

import datetime as dt
from collections.abc import Callable
from random import Random
from uuid import uuid4

import duckdb
import pytest

from tests.warehouse.world import FIRST_DATE, Broker, World
from warehouse import kept, recent
from warehouse.account import read_account
from warehouse.account_entries import read_entries
from warehouse.analytics import read_dearest, read_flow, read_today
from warehouse.company import read_company
from warehouse.company_day import read_company_day
from warehouse.ingest import apply_batch, apply_missing
from warehouse.kept import KEPT, VIEWS, KeptCopy
from warehouse.kept_changes import Change
from warehouse.lake import transaction
from warehouse.lake_tables import TABLES
from warehouse.operations import read_lake_health
from warehouse.payouts import pay_due_days
from warehouse.reading import OPERATOR, Reader
from warehouse.upkeep import tend

Lake = duckdb.DuckDBPyConnection
MEANINGS = {each.full_name: each.meaning for each in TABLES}


# What the copy holds of the newest days, from the first one that it says it has.
RECENT = {
    "entries": """
        select entry_id, kind, account, amount_cents, business_date, occurred_at, title, position
        from {}.ledger.postings
        where business_date >= (select first_date from kept.ops.recent_days)
            and account not in ('company', 'cash')
    """,
    "Jira ids": """
        select entry.entry_id, task.jira_id
        from {0}.ledger.postings as entry
        inner join {0}.marts.tasks_created as task on task.task_id = entry.task_id
        where entry.business_date >= (select first_date from kept.ops.recent_days)
            and entry.account <> 'company' and task.jira_id is not null
    """,
    "events": """
        select business_date, type, count(*)
        from {}.raw.events
        where business_date >= (select first_date from kept.ops.recent_days)
        group by all
    """,
}


def assert_the_same(copy: KeptCopy, lake: Lake) -> None:
    """Every table means the same, however its rows are spread, and every view shows the same."""
    queries = {name: MEANINGS[name] or f"from {{}}.{name}" for name in KEPT - {"raw.quarantine"}}
    queries |= {name: f"from {{}}.{name}" for name in VIEWS if name != "marts.completions"} | RECENT
    with copy.reading() as reader:
        for name, query in queries.items():
            ours, theirs = (
                sorted(map(repr, each.execute(query.format(catalog)).fetchall()))
                for each, catalog in ((reader, "kept"), (lake, "lake"))
            )
            assert ours == theirs, name


def test_the_copy_follows_ingest_upkeep_and_payouts(lake: Lake) -> None:
    rng, world, broker, done = Random(4), World(4), Broker(), 0
    world.hire(4)
    world.live(days=6, steps=16)
    copy = KeptCopy(lake)
    while done < len(world.log):
        size = rng.randrange(10, 60)
        apply_batch(lake, broker.publish(world.log[done : done + size]))
        done += size
        if rng.random() < 0.5:
            pay_due_days(lake)
        if rng.random() < 0.3:
            tend(lake, 500, kept=dt.timedelta(minutes=1))
        if rng.random() < 0.8:
            copy.follow()
            assert_the_same(copy, lake)
    copy.follow()
    assert_the_same(copy, lake)


@pytest.fixture
def read_tables(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[str], object]]:
    """What each `follow` has read: the tables, and the day up to which rows were there already."""
    seen: list[tuple[set[str], object]] = []
    original = kept._copy

    def note(
        cursor: Lake, changed: dict[str, Change], *others: object, since: dt.date | None
    ) -> None:
        seen.append((set(changed), since))
        original(cursor, changed, *others, since=since)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "_copy", note)
    return seen


Seen = list[tuple[set[str], object]]


def test_only_tables_that_changed_are_read_and_of_them_only_unpaid_days(
    lake: Lake, world: World, read_tables: Seen
) -> None:
    copy, broker = KeptCopy(lake), Broker()
    world.live(days=3, steps=10)
    apply_batch(lake, broker.publish(world.log))
    pay_due_days(lake)
    copy.follow()
    copy.follow()
    assert read_tables == [({*KEPT}, None)]

    done = len(world.log)
    world.work(5)
    apply_batch(lake, broker.publish(world.log[done:]))
    copy.follow()
    changed, since = read_tables[-1]
    assert "ops.ingest_state" in changed
    assert changed.isdisjoint(
        {"ledger.certificates", "ledger.payouts", "marts.employee_versions", "ops.check_results"}
    )
    assert since == world.date - dt.timedelta(days=1)

    lake.execute("call ducklake_merge_adjacent_files('lake', 'events', schema => 'raw')")
    copy.follow()
    assert read_tables[-1][0] == set()
    assert_the_same(copy, lake)


def _swap_in(lake: Lake) -> None:
    """What a rebuild that comes out differently leaves: other rows, and a higher epoch."""
    with transaction(lake):
        lake.execute("update ops.payout_state set epoch = epoch + 1")
        lake.execute("update ledger.account_days set fees_cents = fees_cents - 100")


def _forget_snapshots(lake: Lake) -> None:
    """Changes whose snapshots are gone by the time somebody asks for them."""
    for _ in range(2):
        lake.execute("update ops.ingest_state set epoch = epoch")
        lake.execute("update ledger.certificates set fees_cents = 1")
    lake.execute("call ducklake_expire_snapshots('lake', older_than => now()::timestamptz)")


def _alter(lake: Lake) -> None:
    """A change of another kind than rows that come and go."""
    lake.execute("create table marts.of_tomorrow (day date)")


@pytest.mark.parametrize("change", [_swap_in, _forget_snapshots, _alter])
def test_after_a_change_that_cannot_be_followed_everything_is_read_anew(
    lake: Lake, world: World, read_tables: Seen, change: Callable[[Lake], None]
) -> None:
    world.live(days=2, steps=10)
    apply_missing(lake, world.log)
    pay_due_days(lake)
    copy = KeptCopy(lake)
    copy.follow()

    change(lake)
    copy.follow()

    assert read_tables[-1] == ({*KEPT}, None)
    assert_the_same(copy, lake)


@pytest.mark.parametrize("entries_max", [200_000, 25])
def test_days_in_memory_and_older_ones_read_as_the_lake_has_them(
    lake: Lake, world: World, monkeypatch: pytest.MonkeyPatch, entries_max: int
) -> None:
    monkeypatch.setattr(recent, "PAID_DAYS", 2)
    monkeypatch.setattr(recent, "ENTRIES_MAX", entries_max)
    for number in range(6):
        world.create_task(f"[POPUG-{number}] - wash the dishes", version=1)
    world.live(days=5, steps=12)
    broker, half = Broker(), len(world.log) // 2
    apply_batch(lake, broker.publish(world.log[:half]))
    copy = KeptCopy(lake)
    copy.follow()
    apply_batch(lake, broker.publish(world.log[half:]))
    pay_due_days(lake)
    copy.follow()
    days = [FIRST_DATE + dt.timedelta(days=number) for number in range(5)]
    people = [row[0] for row in lake.execute("select employee_id from marts.employees").fetchall()]

    def read_all(connection: Lake) -> list[object]:
        found: list[object] = [
            read_company_day(connection, reader=OPERATOR, business_date=day, text=text)
            for day in days
            for text in ("", "popug-")
        ]
        for one in people:
            for first, skipped in ((days[0], 0), (days[0], 3), (days[-1], 0)):
                found.append(
                    read_entries(
                        connection, reader=Reader("worker", one), employee_id=one,
                        first=first, last=days[-1], count_max=5, count_skipped=skipped,
                    )
                )  # fmt: skip
        return found

    with copy.reading() as one:
        [first_in_memory] = one.execute("select first_date from ops.recent_days").fetchone() or ()
        found = read_all(one)
        assert found == read_all(lake)
    assert "POPUG-3" in repr(found)
    assert first_in_memory > days[0], "some days were read from the lake"


def test_pages_read_no_file_of_the_lake(lake: Lake, world: World) -> None:
    world.live(days=2, steps=10)
    apply_missing(lake, world.log)
    copy = KeptCopy(lake)
    copy.follow()
    me, now = uuid4(), dt.datetime.now(dt.UTC)
    lake.execute("use memory")
    lake.execute("detach lake")

    with copy.reading() as one:
        company = read_company(one, reader=OPERATOR, local_date=FIRST_DATE, count_days=3)
        read_account(
            one, reader=Reader("worker", me), employee_id=me, local_date=FIRST_DATE, count_days=3
        )
        read_entries(
            one, reader=Reader("worker", me), employee_id=me, first=FIRST_DATE, last=FIRST_DATE,
            text="feathers",
        )  # fmt: skip
        day = read_company_day(one, reader=OPERATOR, business_date=FIRST_DATE)
        read_today(one, reader=OPERATOR, local_date=FIRST_DATE)
        read_dearest(one, reader=OPERATOR, today=FIRST_DATE, period="month")
        read_flow(one, reader=OPERATOR, today=FIRST_DATE, count_days=3, now=now)
        health = read_lake_health(one, reader=OPERATOR)

    assert company.state == health.state
    assert day.count_entries > 0
    assert len(company.balances) == 5
