"""Every check holds on a sound business, and each one sees the fault it is there for."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import text

from ates.embedded.postgres import PostgresServer
from ops_api.database import create_engine, migrate
from ops_api.outbox.models import EVENT_COLUMNS
from tests.warehouse.conftest import recreate
from tests.warehouse.faults import LAKE_FAULTS, TRACKER_FAULTS
from tests.warehouse.settled import fill_lake, fill_tracker, undone
from warehouse.checks import Verification, read_checks, verify, verify_here
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker

SEED = "checks_seed"
COPY = "checks_copy"

CHECKS = {check.name: check for check in read_checks()}


class Place:
    """A lake with its tracker; faults planted here do not outlive their test."""

    def __init__(self, server: PostgresServer, lake: duckdb.DuckDBPyConnection) -> None:
        self.server = server
        self.lake = lake

    def attach(self, database: str) -> None:
        """Let the lake's connection see another tracker."""
        self.lake.execute("detach database if exists tracker")
        attach_tracker(self.lake, self.server.url(database))

    @contextlib.contextmanager
    def copied_tracker(self, fault: str) -> Iterator[None]:
        """A copy of the tracker's database with a fault in it."""
        self.lake.execute("detach database if exists tracker")
        recreate(self.server, COPY, SEED)
        engine = create_engine(self.server.url(COPY))
        with engine.begin() as connection:
            for statement in fault.split(";"):
                connection.execute(text(statement))
        engine.dispose()
        self.attach(COPY)
        yield
        self.attach(SEED)


@pytest.fixture(scope="module")
def place(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("checks")
    for name in (SEED, f"{SEED}_lake"):
        recreate(postgres_server, name, "template1")
    migrate(postgres_server.url(SEED))
    engine = create_engine(postgres_server.url(SEED))
    fill_tracker(engine, folder)
    settings = LakeSettings(
        lake_catalog_url=postgres_server.url(f"{SEED}_lake"), lake_data_path=str(folder / "lake")
    )
    lake = fill_lake(engine, settings)
    engine.dispose()
    place = Place(postgres_server, lake)
    place.attach(SEED)
    yield place
    lake.close()


def failing(verification: Verification) -> dict[str, int]:
    return {
        finding.name: finding.count_offending
        for finding in verification.findings
        if finding.count_offending
    }


def test_a_sound_business_passes_every_check(place: Place) -> None:
    verification = verify(place.lake)

    assert failing(verification) == {}
    assert verification.is_clean
    assert verification.scope.is_settled
    assert verification.scope.through > 300
    payouts, debts = (
        place.lake.execute(f"select count(*) from lake.{what}").fetchall()[0][0]
        for what in ("ledger.payouts", "marts.balances where balance_cents < 0")
    )
    assert (payouts > 10, debts > 0) == (True, True)


def test_every_check_has_a_fault_that_it_must_see() -> None:
    assert {*CHECKS} == {*LAKE_FAULTS, *TRACKER_FAULTS}
    assert all(check.statement.endswith(".") for check in CHECKS.values())


@pytest.mark.parametrize("name", LAKE_FAULTS)
def test_a_fault_in_the_lake_is_seen(place: Place, name: str) -> None:
    with undone(place.lake):
        place.lake.execute(LAKE_FAULTS[name])
        verification = verify_here(place.lake, [CHECKS[name]])

    assert name in failing(verification)
    assert not verification.is_clean


@pytest.mark.parametrize("name", TRACKER_FAULTS)
def test_a_fault_in_the_tracker_is_seen(place: Place, name: str) -> None:
    with place.copied_tracker(TRACKER_FAULTS[name]):
        verification = verify(place.lake, [CHECKS[name]])

    assert name in failing(verification)
    assert verification.findings[0].samples


def test_an_event_that_waits_in_the_outbox_or_on_its_way_is_no_fault(place: Place) -> None:
    columns = ", ".join(EVENT_COLUMNS)
    back_to_outbox = f"""
        insert into outbox ({columns}) select {columns} from event_log
            where position > (select last_position - 3 from log_head) order by position;
        delete from event_log where position > (select last_position - 3 from log_head);
        update log_head set last_position = last_position - 3
    """
    with place.copied_tracker("select 1"):
        settled = verify(place.lake)
    with place.copied_tracker(back_to_outbox):
        ahead = verify(place.lake)

    assert settled.scope.is_settled
    assert not ahead.scope.is_settled
    assert ahead.scope.count_waiting == 3
    # The lake has more than the log: impossible, and said so.
    assert {"lake_state_is_true", "lake_has_every_event_once"} <= {*failing(ahead)}


def test_a_lake_that_is_behind_is_compared_as_far_as_it_has_come(
    place: Place, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    recreate(postgres_server, f"{COPY}_lake", "template1")
    place.lake.execute("detach database if exists tracker")
    recreate(postgres_server, COPY, SEED)
    engine = create_engine(postgres_server.url(COPY))
    settings = LakeSettings(
        lake_catalog_url=postgres_server.url(f"{COPY}_lake"), lake_data_path=str(tmp_path)
    )
    with engine.begin() as connection:
        connection.execute(text("drop schema mail cascade"))
    lake = fill_lake(engine, settings, through=200)
    attach_tracker(lake, postgres_server.url(COPY))
    verification = verify(lake)
    lake.close()
    engine.dispose()
    place.attach(SEED)

    assert failing(verification) == {}
    assert (verification.scope.through, verification.scope.is_settled) == (200, False)


def test_a_business_without_mail_and_without_anything_is_sound(
    place: Place, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    for name in (COPY, f"{COPY}_lake"):
        recreate(postgres_server, name, "template1")
    migrate(postgres_server.url(COPY))
    settings = LakeSettings(
        lake_catalog_url=postgres_server.url(f"{COPY}_lake"), lake_data_path=str(tmp_path)
    )
    from warehouse.lake import connect, create_tables

    lake = connect(settings)
    create_tables(lake)
    attach_tracker(lake, postgres_server.url(COPY))
    verification = verify(lake)
    lake.close()

    assert failing(verification) == {}
    assert verification.scope.is_settled
