"""Upkeep changes no figure, keeps the lake small, and gets in nobody's way."""

import datetime as dt
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import NullPool, create_engine

from ates.embedded.postgres import PostgresServer
from contracts.environment import read_environment
from tests.conftest import MOVE_LAKE, TEMPLATE_LAKE, NewDatabase
from tests.warehouse.conftest import recreate
from tests.warehouse.world import Broker, World
from warehouse import upkeep
from warehouse.ingest import LogRow, apply_batch, apply_missing
from warehouse.lake import RivalError, connect, create_tables
from warehouse.lake_tables import REWRITTEN, TABLES
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings
from warehouse.upkeep import COMMITS_BETWEEN_ROUNDS, COMMITS_BETWEEN_SWEEPS, is_due, tend

TEMPLATE_BUSY = "busy_lake_template"
Lake = duckdb.DuckDBPyConnection
AT_ONCE = dt.timedelta(0)
TASK_DAYS, FINISHED_TASKS = (
    str(table.meaning) for table in TABLES if table.name in ("task_days", "finished_tasks")
)
DEEPEST_ROUND = COMMITS_BETWEEN_ROUNDS * 100


def figures(lake: Lake) -> list[object]:
    return [
        lake.execute(query).fetchall()
        for query in (
            "select * from marts.balances order by all",
            "select * from marts.company_days order by all",
            "select * from ledger.postings order by all",
            "select * from raw.events order by position",
            "select max(reward_cents) from marts.dearest_tasks group by business_date order by all",
            f"{TASK_DAYS.format('lake')} order by all",
            f"{FINISHED_TASKS.format('lake')} order by all",
        )
    ]


@pytest.fixture(scope="module")
def busy_template(
    postgres_server: PostgresServer, lake_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The files of a lake that took many small batches over three days, two paid; to copy."""
    recreate(postgres_server, TEMPLATE_BUSY, TEMPLATE_LAKE)
    data = tmp_path_factory.mktemp("busy") / "lake"
    settings = copy_of(lake_template, data, postgres_server.url(TEMPLATE_BUSY))
    world = World()
    world.hire(5)
    with connect(settings) as lake:
        keep_busy(lake, world)
    return data


@pytest.fixture
def lake_settings(busy_template: Path, new_database: NewDatabase, tmp_path: Path) -> LakeSettings:
    """A copy of the busy lake, of one's own."""
    return copy_of(busy_template, tmp_path / "lake", new_database("lake", template=TEMPLATE_BUSY))


@pytest.fixture
def busy_lake(lake: Lake) -> Lake:
    """The copy, open."""
    return lake


def copy_of(template: Path, data: Path, catalog_url: str) -> LakeSettings:
    """A lake of copied files, whose catalog is a copied database."""
    shutil.copytree(template, data)
    catalog = create_engine(catalog_url, poolclass=NullPool)
    with catalog.begin() as connection:
        connection.execute(MOVE_LAKE, {"path": f"{data}/"})
    return LakeSettings(lake_catalog_url=catalog_url, lake_data_path=str(data))


def keep_busy(lake: Lake, world: World) -> None:
    broker = Broker()
    done = 0
    for number in range(12):
        world.work(8)
        if number % 5 == 4:
            world.close_day()
        apply_batch(lake, broker.publish(world.log[done:]))
        done = len(world.log)
    pay_due_days(lake)


@pytest.mark.parametrize("epoch", [COMMITS_BETWEEN_ROUNDS, DEEPEST_ROUND])
def test_a_round_changes_no_figure(busy_lake: Lake, epoch: int) -> None:
    before = figures(busy_lake)

    report = tend(busy_lake, epoch, kept=AT_ONCE)

    assert not report.is_cut_short
    assert report.count_merged_files > 0
    assert figures(busy_lake) == before


def test_after_a_round_a_day_has_one_row_an_account_and_one_dearest_task(busy_lake: Lake) -> None:
    tend(busy_lake, DEEPEST_ROUND, kept=AT_ONCE)

    for query in (
        "select 1 from ledger.account_days group by account, business_date having count(*) > 1",
        "select 1 from marts.dearest_tasks group by business_date having count(*) > 1",
    ):
        assert busy_lake.execute(query).fetchall() == []


def test_merged_files_are_deleted_when_no_snapshot_needs_them(
    busy_lake: Lake, lake_settings: LakeSettings
) -> None:
    def count_files() -> int:
        return len(list(Path(lake_settings.lake_data_path).rglob("*.parquet")))

    before = count_files()
    tend(busy_lake, DEEPEST_ROUND, kept=dt.timedelta(hours=1))
    assert count_files() > before  # old snapshots stay readable for a while

    for _ in range(2):  # what the first one gives up, the next one deletes
        tend(busy_lake, DEEPEST_ROUND, kept=AT_ONCE)
    assert count_files() < before / 3


def test_merged_files_are_synced_before_the_catalog_names_them(
    busy_lake: Lake, monkeypatch: pytest.MonkeyPatch, lake_settings: LakeSettings
) -> None:
    from warehouse import durability

    synced: set[str] = set()
    original = durability._sync
    monkeypatch.setattr(durability, "_sync", lambda path: (synced.add(path.name), original(path)))
    known = {path.name for path in Path(lake_settings.lake_data_path).rglob("*.parquet")}

    tend(busy_lake, DEEPEST_ROUND)

    files = {path.name for path in Path(lake_settings.lake_data_path).rglob("*.parquet")}
    assert files - known
    assert files - known <= synced


def test_a_round_that_meets_another_steps_back(
    busy_lake: Lake, lake_settings: LakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = figures(busy_lake)
    original = upkeep.sync_new_files

    def sync_after_a_rival(connection: Lake) -> int:
        monkeypatch.setattr(upkeep, "sync_new_files", original)
        with connect(lake_settings) as rival:
            assert not tend(rival, COMMITS_BETWEEN_ROUNDS).is_cut_short
        return original(connection)

    monkeypatch.setattr(upkeep, "sync_new_files", sync_after_a_rival)
    report = tend(busy_lake, COMMITS_BETWEEN_ROUNDS)

    assert report.is_cut_short
    assert figures(busy_lake) == before


def test_a_sweep_leaves_one_file_of_each_small_table_and_changes_no_figure(
    busy_lake: Lake,
) -> None:
    before = figures(busy_lake)
    tend(busy_lake, COMMITS_BETWEEN_SWEEPS, kept=AT_ONCE)

    files = dict(
        busy_lake.execute(
            "select table_name, file_count from ducklake_table_info('lake')"
        ).fetchall()
    )
    small = {table.name: files[table.name] for table in REWRITTEN} | {
        "unfinished_tasks": files["unfinished_tasks"]
    }
    assert set(small.values()) == {1}
    assert files["postings"] > 8  # left to the next round
    assert figures(busy_lake) == before


def test_a_sweep_or_a_round_is_due_every_so_many_commits() -> None:
    due = [epoch for epoch in range(1, COMMITS_BETWEEN_ROUNDS + 1) if is_due(epoch)]

    assert due == list(range(COMMITS_BETWEEN_SWEEPS, COMMITS_BETWEEN_ROUNDS + 1, 10))


def test_rounds_beside_a_writer_lose_nothing_and_sweep_what_a_crash_left(
    unmade_lake_environment: dict[str, str], world: World
) -> None:
    settings = read_environment(LakeSettings, unmade_lake_environment)
    world.live(days=3, steps=25)
    with connect(settings) as lake:
        create_tables(lake)
        apply_batch(lake, Broker().publish(world.log[:10]))
        check_rounds_beside_a_writer(lake, settings, world)


def check_rounds_beside_a_writer(lake: Lake, settings: LakeSettings, world: World) -> None:
    folder = Path(settings.lake_data_path) / "raw" / "events"
    orphan = folder / "ducklake-left-by-a-crash.parquet"
    orphan.write_bytes(next(folder.glob("*.parquet")).read_bytes())
    yesterday = (dt.datetime.now(dt.UTC) - 2 * upkeep.ORPHANS_KEPT).timestamp()
    os.utime(orphan, (yesterday, yesterday))
    with ThreadPoolExecutor(1) as pool, connect(settings) as keeper:
        writing = pool.submit(write_slowly, lake, world.log)
        tend(keeper, DEEPEST_ROUND, kept=dt.timedelta(minutes=1))
        while not writing.done():
            tend(keeper, DEEPEST_ROUND, kept=dt.timedelta(minutes=1))
        writing.result()
    for _ in range(2):
        tend(lake, DEEPEST_ROUND, kept=AT_ONCE)

    assert not orphan.exists()
    rows = lake.execute("select count(*), count(distinct position) from raw.events").fetchone()
    assert rows == (len(world.log), len(world.log))
    assert lake.execute("select sum(amount_cents) from ledger.postings").fetchone() == (0,)
    pay_due_days(lake)
    paid = lake.execute("select sum(amount_cents) from ledger.payouts").fetchone()
    assert paid == (sum(world.payouts.values()),)


def write_slowly(lake: Lake, log: list[LogRow]) -> None:
    """Bring the log in many small batches; whoever loses to a rival does it again."""
    done = 10
    while done < len(log):
        try:
            apply_missing(lake, log[done : done + 20])
        except RivalError:
            continue
        done += 20
