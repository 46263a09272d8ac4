"""What the dashboards' account may read in PostgreSQL, and what it may not."""

import datetime as dt
from uuid import UUID, uuid4

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from ates.embedded.postgres import READER as READER_ROLE
from ates.embedded.postgres import PostgresServer
from ates.grants import grant_reads
from contracts.environment import SettingsError
from pipelines.mail.database import create_schema
from tests.conftest import NewDatabase
from warehouse.deliveries import (
    Backlog,
    Delivery,
    TrackerDatabase,
    TrackerDatabaseSilentError,
    read_backlog,
    read_deliveries_of_day,
    read_own_deliveries,
)
from warehouse.lake import connect, create_tables
from warehouse.reading import OPERATOR, Reader, ReadRefusedError
from warehouse.settings import LakeSettings

MONDAY = dt.date(2026, 3, 2)
ANNA = UUID(int=1)


@pytest.fixture
def reader_url(
    database_url: str, new_database: NewDatabase, postgres_server: PostgresServer
) -> str:
    """The tracker as the account sees it that can only read."""
    urls = {"DATABASE_URL": database_url, "LAKE_CATALOG_URL": new_database("lake")}
    names = {name: make_url(url).database or "" for name, url in urls.items()}
    readers = {
        "DATABASE_READER_URL": postgres_server.url(names["DATABASE_URL"], READER_ROLE),
        "LAKE_READER_URL": postgres_server.url(names["LAKE_CATALOG_URL"], READER_ROLE),
    }
    grant_reads(urls | readers)
    return readers["DATABASE_READER_URL"]


def deliver(database_url: str, entry_id: UUID, state: str) -> None:
    engine = create_engine(database_url)
    create_schema(engine)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into mail.deliveries (delivery_id, business_date, employee_id, email, name,"
                " amount_cents, message_id, state, attempts, next_attempt_at, sent_at, planned_at)"
                " values (:id, :day, :employee, 'a@example.com', 'Anna', 100, :id, :state, 1,"
                " now(), case when :state = 'sent' then now() end, now())"
            ),
            {"id": str(entry_id), "day": MONDAY, "employee": str(ANNA), "state": state},
        )
    engine.dispose()


def test_mail_states_are_read_by_day_and_by_owner(database_url: str, reader_url: str) -> None:
    tracker, entry_id = TrackerDatabase(reader_url), uuid4()
    owner = Reader(role="worker", employee_id=ANNA)

    def of_day() -> dict[UUID, Delivery]:
        return tracker.read(
            lambda one: read_deliveries_of_day(one, reader=OPERATOR, business_date=MONDAY)
        )

    assert of_day() == {}  # the mail office has not even made its tables
    deliver(database_url, entry_id, "pending")

    assert of_day()[entry_id].state == "pending"
    own = tracker.read(
        lambda one: read_own_deliveries(
            one, reader=owner, employee_id=ANNA, first=MONDAY, last=MONDAY
        )
    )
    assert own.keys() == {entry_id}


def test_mail_states_of_others_are_refused(reader_url: str) -> None:
    tracker, stranger = TrackerDatabase(reader_url), Reader(role="worker", employee_id=uuid4())

    with pytest.raises(ReadRefusedError):
        tracker.read(lambda one: read_deliveries_of_day(one, reader=stranger, business_date=MONDAY))
    with pytest.raises(ReadRefusedError):
        tracker.read(
            lambda one: read_own_deliveries(
                one, reader=stranger, employee_id=ANNA, first=MONDAY, last=MONDAY
            )
        )


def test_waiting_events_are_those_above_what_arrived(database_url: str, reader_url: str) -> None:
    recorded_at = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for position in (1, 2, 3):
            connection.execute(
                text(
                    "insert into event_log (position, event_id, type, version, topic, subject,"
                    " sequence, occurred_at, business_date, correlation_id, body, recorded_at)"
                    " values (:position, gen_random_uuid(), 'task.created', 1, 'tasks', :subject,"
                    " 1, :at, :day, gen_random_uuid(), '{}', :at)"
                ),
                {
                    "position": position, "subject": str(uuid4()), "day": MONDAY,
                    "at": recorded_at + dt.timedelta(minutes=position),
                },
            )  # fmt: skip
        connection.execute(text("update log_head set last_position = 3"))
    engine.dispose()
    tracker = TrackerDatabase(reader_url)

    waiting = tracker.read(lambda one: read_backlog(one, arrived=1))

    assert waiting == Backlog(2, recorded_at + dt.timedelta(minutes=2))
    assert tracker.read(lambda one: read_backlog(one, arrived=3)) == Backlog(0, None)


@pytest.mark.parametrize(
    "statement",
    [
        "select password_hash from employees",
        "select * from sessions",
        "select letter from sign_in_links",
        "set default_transaction_read_only = off; update log_head set last_position = 9",
        "set default_transaction_read_only = off; delete from event_log",
        "create table public.mine (a int)",
    ],
)
def test_the_account_can_read_no_secret_and_change_nothing(reader_url: str, statement: str) -> None:
    connection = psycopg2.connect(reader_url.replace("+psycopg2", ""))
    connection.autocommit = True

    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_the_lake_is_read_by_an_account_that_cannot_write_its_catalog(
    unmade_lake_environment: dict[str, str], database_url: str, postgres_server: PostgresServer
) -> None:
    unmade = unmade_lake_environment
    url, data = unmade["LAKE_CATALOG_URL"], unmade["LAKE_DATA_PATH"]
    reader_url = postgres_server.url(make_url(url).database or "", READER_ROLE)
    tracker_url = postgres_server.url(make_url(database_url).database or "", READER_ROLE)
    urls = {
        "DATABASE_URL": database_url, "DATABASE_READER_URL": tracker_url,
        "LAKE_CATALOG_URL": url, "LAKE_READER_URL": reader_url,
    }  # fmt: skip
    grant_reads(urls)  # before the lake has a table, as on a first start
    with connect(LakeSettings(lake_catalog_url=url, lake_data_path=data)) as owner:
        create_tables(owner)
    settings = LakeSettings(lake_catalog_url=reader_url, lake_data_path=data)

    with connect(settings, read_only=True) as lake:
        assert lake.execute("select count(*) from ops.ingest_state").fetchone() == (1,)
    catalog = psycopg2.connect(reader_url.replace("+psycopg2", ""))
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), catalog.cursor() as cursor:
        cursor.execute("delete from ducklake_snapshot")
    catalog.close()


def test_a_silent_database_is_told_apart() -> None:
    tracker = TrackerDatabase("postgresql+psycopg2://nobody@127.0.0.1:1/none")

    with pytest.raises(TrackerDatabaseSilentError):
        tracker.read(lambda one: read_backlog(one, arrived=0))


def test_an_account_that_nobody_made_is_named(database_url: str) -> None:
    stranger = make_url(database_url).set(username="stranger").render_as_string(False)
    urls = {
        "DATABASE_URL": database_url, "DATABASE_READER_URL": stranger,
        "LAKE_CATALOG_URL": database_url, "LAKE_READER_URL": database_url,
    }  # fmt: skip

    with pytest.raises(SettingsError, match="DATABASE_READER_URL names the account stranger"):
        grant_reads(urls)
