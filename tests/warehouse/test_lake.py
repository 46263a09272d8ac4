"""Opening the lake: odd passwords, first starts at once, readers beside the writer."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from sqlalchemy.engine import make_url

from ates.embedded.postgres import PostgresServer
from contracts.environment import read_environment
from tests.warehouse.world import Broker, World
from warehouse import durability
from warehouse import lake as lake_module
from warehouse.ingest import apply_batch
from warehouse.lake import LakeUnavailableError, connect, create_tables
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings
from warehouse.state import read_state

ODD_PASSWORD = 'it\'s 5% \\ "odd"; @:/?#&=ключ'  # fictitious


@pytest.fixture
def unmade_lake_settings(unmade_lake_environment: dict[str, str]) -> LakeSettings:
    return read_environment(LakeSettings, unmade_lake_environment)


@pytest.fixture
def odd_role(postgres_server: PostgresServer, unmade_lake_settings: LakeSettings) -> Iterator[str]:
    """The catalog's address for a role with an odd name and password."""
    url = make_url(unmade_lake_settings.lake_catalog_url)
    with closing(postgres_server.connect_as_superuser()) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute('create role "o\'dd" superuser login password %s', [ODD_PASSWORD])
            yield url.set(username="o'dd", password=ODD_PASSWORD).render_as_string(
                hide_password=False
            )
            cursor.execute(f'drop database "{url.database}" with (force)')
            cursor.execute('drop role "o\'dd"')


def test_a_password_may_hold_any_character(
    unmade_lake_settings: LakeSettings, odd_role: str
) -> None:
    settings = LakeSettings(
        lake_catalog_url=odd_role, lake_data_path=unmade_lake_settings.lake_data_path
    )

    with connect(settings) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_no_error_message_repeats_the_password(lake_settings: LakeSettings) -> None:
    url = make_url(lake_settings.lake_catalog_url).set(password="let-me-in", port=1)
    settings = LakeSettings(
        lake_catalog_url=url.render_as_string(hide_password=False),
        lake_data_path=lake_settings.lake_data_path,
    )

    with pytest.raises(LakeUnavailableError) as caught:
        connect(settings)

    assert "let-me-in" not in str(caught.value) + str(caught.value.__cause__)


def test_first_starts_at_once_make_one_lake(unmade_lake_settings: LakeSettings) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            with connect(unmade_lake_settings) as connection:
                create_tables(connection)
                assert read_state(connection).epoch == 0
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with connect(unmade_lake_settings, read_only=True) as connection:
        assert connection.execute("select count(*) from ops.ingest_state").fetchone() == (1,)


def test_tables_are_made_once_and_new_ones_added_later(
    lake: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    snapshot = "select max(snapshot_id) from ducklake_snapshots('lake')"
    before = lake.execute(snapshot).fetchone()
    create_tables(lake)
    assert lake.execute(snapshot).fetchone() == before

    scripts = tmp_path / "tables"
    scripts.mkdir()
    for applied in Path(str(lake_module._tables_folder())).glob("*.sql"):
        (scripts / applied.name).write_text("select 1;")
    (scripts / "99_new.sql").write_text("create table marts.brand_new (x integer);")
    monkeypatch.setattr(lake_module, "_tables_folder", lambda: scripts)
    create_tables(lake)

    assert lake.execute("select count(*) from marts.brand_new").fetchone() == (0,)


def test_every_table_says_what_a_row_is(lake: duckdb.DuckDBPyConnection) -> None:
    silent = lake.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = 'lake' and comment is null and table_name <> 'table_versions'"
        " union all select schema_name, view_name from duckdb_views()"
        " where database_name = 'lake' and comment is null and not internal"
    ).fetchall()

    assert silent == []


def test_a_reader_cannot_write_and_sees_whole_batches(
    lake: duckdb.DuckDBPyConnection, lake_settings: LakeSettings, world: World
) -> None:
    world.work(20)
    with connect(lake_settings, read_only=True) as reader:
        reader.execute("begin")
        assert reader.execute("select count(*) from raw.events").fetchone() == (0,)
        apply_batch(lake, Broker().publish(world.log))
        assert reader.execute("select count(*) from ledger.postings").fetchone() == (0,)
        reader.execute("commit")
        assert reader.execute("select count(*) from raw.events").fetchone() == (len(world.log),)
        with pytest.raises(duckdb.Error, match="read-only"):
            reader.execute("delete from ledger.postings")


def test_a_reader_of_a_lake_that_nobody_made_is_told_so(unmade_lake_settings: LakeSettings) -> None:
    with pytest.raises(LakeUnavailableError):
        connect(unmade_lake_settings, read_only=True)


def test_times_are_utc_wherever_the_machine_stands(
    lake_settings: LakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    with connect(lake_settings) as connection:
        assert connection.execute(
            "select '2026-04-05 02:30:00Z'::timestamptz::date::varchar"
        ).fetchone() == ("2026-04-05",)


def test_every_new_file_is_synced_before_the_commit(
    unmade_lake_settings: LakeSettings, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    original = durability._sync

    def remember(path: Path) -> None:
        synced.add(path.name)
        original(path)

    monkeypatch.setattr(durability, "_sync", remember)
    data_path = Path(unmade_lake_settings.lake_data_path)
    world.work(30)
    world.close_day()
    broker = Broker()
    with connect(unmade_lake_settings) as connection:
        create_tables(connection)
        assert {path.name for path in data_path.rglob("*")} - synced == set()
        for rows in (world.log[:20], world.log[20:]):
            apply_batch(connection, broker.publish(rows))
            assert {path.name for path in data_path.rglob("*")} - synced == set()
        pay_due_days(connection)

    assert {path.name for path in data_path.rglob("*")} - synced == set()
    assert data_path.name in synced
    assert data_path.parent.name in synced
