"""Every check holds on a sound business, and each one sees the fault it is there for."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from psycopg2 import sql
from sqlalchemy import text

from ates.embedded.postgres import ROLE, PostgresServer
from ops_api.database import create_engine, migrate
from ops_api.outbox.models import EVENT_COLUMNS
from tests.warehouse.settled import fill_lake, fill_tracker, undone
from warehouse.checks import Verification, read_checks, verify, verify_here
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker

SEED = "checks_seed"
COPY = "checks_copy"

CHECKS = {check.name: check for check in read_checks()}

A_FEE = "(select min(entry_id) from lake.ledger.postings where kind = 'fee')"
A_REWARD = "(select min(entry_id) from lake.ledger.postings where kind = 'reward')"
A_PAYOUT = "(select min(entry_id) from lake.ledger.payouts)"
A_DAY = "date '2024-02-08'"
AN_ASSIGNMENT = "(select max(position) from lake.raw.events where type = 'task.assigned')"
A_COMPLETION = "(select max(position) from lake.raw.events where type = 'task.completed')"
A_CREATION = "(select max(position) from lake.raw.events where type = 'task.created')"


def change_data(key: str, value: str, where: str) -> str:
    """SQL that replaces a value inside the JSON of one event in the lake."""
    pattern = f'"{key}":("[^"]*"|[0-9]+)'
    return (
        f"update lake.raw.events set data = regexp_replace(data, '{pattern}', '\"{key}\":{value}')"
        f" where position = {where}"
    )


NOBODY = '"00000000-0000-0000-0000-000000000000"'
# A fault in the lake that the check of this name must report.
LAKE_FAULTS = {
    "assignments_are_numbered": change_data("assignment_number", "9", AN_ASSIGNMENT),
    "balances_follow_from_the_log":
        "update lake.ledger.account_days set fees_cents = fees_cents - 100 where account ="
        " (select min(account) from lake.ledger.account_days)",
    "certificates_match_the_tracker":
        f"delete from lake.ledger.certificates where business_date = {A_DAY}",
    "certificates_match_their_days":
        "update lake.ledger.certificates set count_events = count_events + 1"
        f" where business_date = {A_DAY}",
    "days_agree_everywhere":
        "delete from lake.ledger.postings where account = 'company' and entry_id = " + A_FEE,
    "days_never_change_once_closed":
        f"update lake.raw.events set business_date = {A_DAY} where position = {AN_ASSIGNMENT}",
    "dearest_tasks_are_the_dearest":
        f"update lake.marts.dearest_tasks set reward_cents = 100 where business_date = {A_DAY}",
    "earnings_follow_from_the_certificates":
        "update lake.ledger.account_days set rewards_cents = rewards_cents - 100"
        f" where account = 'company' and business_date = {A_DAY}",
    "employees_are_the_same_in_the_lake":
        "update lake.marts.employee_versions set name = 'x' where position = 1",
    "fees_match_assignments": f"delete from lake.ledger.postings where entry_id = {A_FEE}",
    "lake_events_equal_the_log":
        "update lake.raw.events set occurred_at = occurred_at + interval 1 second"
        " where position = 7",
    "lake_has_every_event_once":
        "insert into lake.raw.events select * from lake.raw.events where position = 7",
    "lake_state_is_true":
        "update lake.ops.ingest_state set contiguous_position = contiguous_position - 1",
    "ledger_balances_are_folds":
        "update lake.ledger.account_days set count_entries = count_entries + 1"
        " where account = 'cash'",
    "ledger_entries_balance":
        "update lake.ledger.postings set amount_cents = amount_cents + 1"
        f" where account = 'company' and entry_id = {A_FEE}",
    "ledger_postings_move_the_right_way":
        f"update lake.ledger.postings set amount_cents = -amount_cents where entry_id = {A_FEE}",
    "ledger_sums_to_zero":
        f"delete from lake.ledger.postings where account = 'company' and entry_id = {A_REWARD}",
    "payout_days_follow_each_other":
        f"delete from lake.ledger.paid_days where business_date = {A_DAY}",
    "payouts_are_single": "insert into lake.ledger.payouts select * from lake.ledger.payouts",
    "payouts_follow_the_closed_form":
        "update lake.ledger.payouts set amount_cents = amount_cents + 100 where entry_id = "
        + A_PAYOUT,
    "payouts_leave_nothing":
        f"delete from lake.ledger.postings where entry_id = {A_PAYOUT}",
    "payouts_match_their_entries":
        f"delete from lake.ledger.payouts where entry_id = {A_PAYOUT}",
    "prices_are_in_range": change_data("fee_cents", "2100", A_CREATION),
    "prices_never_change": change_data("reward_cents", "2001", A_COMPLETION),
    "rewards_match_completions": f"delete from lake.ledger.postings where entry_id = {A_REWARD}",
    "tasks_are_the_same_in_the_lake":
        "delete from lake.marts.tasks_created where position ="
        " (select min(position) from lake.marts.tasks_created)",
    "tasks_begin_and_end_once": change_data("employee_id", NOBODY, A_COMPLETION),
}  # fmt: skip
# A fault in the tracker's database that the check of this name must report.
TRACKER_FAULTS = {
    "deliveries_end_well": """
        alter table mail.deliveries drop constraint deliveries_check2;
        alter table mail.deliveries drop constraint deliveries_check1;
        update mail.deliveries set state = 'sent'
    """,
    "deliveries_match_payouts":
        "delete from mail.deliveries where business_date ="
        " (select min(business_date) from mail.deliveries)",
    "employees_are_their_events": "update employees set role = 'admin' where name = 'w1'",
    "log_amounts_equal_their_data": "update event_log set fee_cents = 1 where position = 1",
    "log_positions_have_no_holes": "delete from event_log where position = 5",
    "log_versions_have_no_gaps": """
        update event_log set sequence = sequence + 100 where position =
            (select max(position) from event_log where type = 'task.assigned')
    """,
    "tasks_are_their_events": """
        update tasks set assignee_id =
            (select employee_id from employees where employee_id <> assignee_id limit 1)
        where external_id = 't3'
    """,
}  # fmt: skip


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


def recreate(server: PostgresServer, name: str, template: str) -> None:
    with contextlib.closing(server.connect_as_superuser()) as connection:
        cursor = connection.cursor()
        for statement in (
            "drop database if exists {name} with (force)",
            "create database {name} owner {role} template {template}",
        ):
            cursor.execute(sql.SQL(statement).format(
                name=sql.Identifier(name), role=sql.Identifier(ROLE),
                template=sql.Identifier(template),
            ))  # fmt: skip


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
