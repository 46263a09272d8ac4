"""The schema: what the migrations make is what the models say, and the database guards it."""

import threading
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ops_api import tables
from ops_api.database import create_engine, migrate
from tests.conftest import NewDatabase
from tests.ops_api.conftest import World

# An index on a constant, which Alembic cannot read back.
UNREADABLE_INDEX = "imports_unfinished_key"
TASK = """
insert into tasks (
    task_id, title, status, assignee_id, fee_cents, reward_cents, assignment_number, version,
    created_by, created_at, completed_at
) values (
    :task_id, :title, :status, :assignee_id, :fee_cents, :reward_cents, :assignment_number,
    :version, :assignee_id, now(), :completed_at
)
"""


def test_models_and_migrations_agree(world: World) -> None:
    with world.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, tables.employees.metadata)

    assert [each for each in differences if UNREADABLE_INDEX not in str(each)] == []


def test_many_may_migrate_at_once_and_again(new_database: NewDatabase) -> None:
    url = new_database("fresh")
    threads = [threading.Thread(target=migrate, args=(url,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    migrate(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(sa.text("select last_position from log_head")).scalar() == 0
        assert connection.execute(sa.text("show timezone")).scalar() == "UTC"
    engine.dispose()


@pytest.mark.parametrize(
    "wrong",
    [{"fee_cents": 900}, {"fee_cents": 2100}, {"fee_cents": 1050}, {"reward_cents": 1900},
     {"reward_cents": 4100}, {"status": "lost"}, {"status": "done"}, {"title": ""},
     {"title": "x" * 501}, {"assignment_number": 0}, {"version": 1}, {"assignee_id": uuid4()},
     {"assignee_id": None}, {"completed_at": "2026-01-01"}],
)  # fmt: skip
def test_an_impossible_task_cannot_be_stored(world: World, wrong: dict[str, object]) -> None:
    possible = {
        "task_id": uuid4(),
        "title": "Sweep",
        "status": "open",
        "assignee_id": world.employee().employee_id,
        "fee_cents": 1000,
        "reward_cents": 2000,
        "assignment_number": 1,
        "version": 2,
        "completed_at": None,
    }
    with world.engine.begin() as connection:
        connection.execute(sa.text(TASK), possible)

    with pytest.raises(sa.exc.IntegrityError), world.engine.begin() as connection:
        connection.execute(sa.text(TASK), possible | {"task_id": uuid4()} | wrong)


def test_there_is_one_head_of_the_log(world: World) -> None:
    for table in ("log_head", "publications"):
        with pytest.raises(sa.exc.IntegrityError), world.engine.begin() as connection:
            connection.execute(sa.text(f"insert into {table} values (true, 1)"))
        with pytest.raises(sa.exc.IntegrityError), world.engine.begin() as connection:
            connection.execute(sa.text(f"insert into {table} values (false, 1)"))


def test_no_error_tells_what_a_person_typed(world: World) -> None:
    with pytest.raises(sa.exc.DBAPIError) as failure, world.engine.begin() as connection:
        connection.execute(sa.text("select * from nowhere where x = :x"), {"x": "secret"})

    assert "[parameters" not in str(failure.value)
