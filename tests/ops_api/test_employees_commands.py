"""Registering and changing employees, and who takes over a leaver's tasks."""

import pytest

from contracts.events import EmployeeChangedV1, EmployeeRegisteredV1, TaskAssignedV1
from ops_api.auth.sessions import find_session, start_session
from ops_api.employees.commands import Changes, change_employee, register_employee, set_password
from ops_api.errors import ConflictError, NotFoundError, UnacceptableError
from ops_api.ids import uuid7
from ops_api.tasks.commands import create_task
from tests.ops_api.conftest import World


def test_a_registration_is_the_first_event_of_an_employee(world: World) -> None:
    employee = world.run(
        register_employee, name=" Polly ", email="polly@example.com", role="accountant"
    )

    ((_, envelope, data),) = world.log()
    assert (envelope.subject, envelope.sequence) == (str(employee.employee_id), 1)
    assert data == EmployeeRegisteredV1(
        employee_id=employee.employee_id,
        name="Polly",
        email="polly@example.com",
        role="accountant",
        is_active=True,
    )


def test_an_address_belongs_to_one_employee_in_any_case_of_letters(world: World) -> None:
    world.run(register_employee, name="Polly", email="polly@example.com", role="worker")

    with pytest.raises(ConflictError) as refusal:
        world.run(register_employee, name="Other", email="POLLY@example.com", role="worker")

    assert refusal.value.slug == "email-taken"
    assert len(world.log()) == 1


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"email": "nowhere"}, {"role": "boss"}, {"name": "x" * 201}]
)
def test_a_bad_value_registers_nobody(world: World, wrong: dict[str, str]) -> None:
    values = {"name": "Polly", "email": "polly@example.com", "role": "worker"} | wrong

    with pytest.raises(UnacceptableError):
        world.run(register_employee, None, **values)

    assert world.log() == []


def test_a_change_raises_the_version_and_tells_the_whole_new_state(world: World) -> None:
    employee = world.employee()

    changed = world.run(
        change_employee, employee_id=employee.employee_id, changes=Changes(name="New Name")
    )

    assert changed.version == 2
    _, envelope, data = world.log()[-1]
    assert envelope.sequence == 2
    assert data == EmployeeChangedV1(
        employee_id=employee.employee_id,
        name="New Name",
        email=employee.email,
        role="worker",
        is_active=True,
    )


def test_a_change_that_changes_nothing_makes_no_event(world: World) -> None:
    employee = world.employee()

    same = world.run(
        change_employee, employee_id=employee.employee_id, changes=Changes(name=employee.name)
    )

    assert same == employee
    assert len(world.log()) == 1


def test_nobody_can_be_changed_who_is_not_there(world: World) -> None:
    with pytest.raises(NotFoundError):
        world.run(change_employee, employee_id=uuid7(world.clock(), world.rng), changes=Changes())


@pytest.mark.parametrize(
    "changes", [Changes(is_active=False), Changes(role="manager"), Changes(role="admin")]
)
def test_who_can_no_longer_be_drawn_hands_over_all_open_tasks(
    world: World, changes: Changes
) -> None:
    leaver = world.employee()
    tasks = {world.run(create_task, leaver.employee_id, title=f"{n}").task_id for n in range(3)}
    stayer = world.employee()
    kept = {
        task.task_id
        for task in (world.run(create_task, stayer.employee_id, title="x") for _ in range(8))
        if task.assignee_id == stayer.employee_id
    }

    world.run(change_employee, employee_id=leaver.employee_id, changes=changes)

    holders = "select count(*) from tasks where status = 'open' and assignee_id = :employee_id"
    assert world.one(holders, employee_id=leaver.employee_id) == 0
    events = world.log()
    correlation_id = next(e[1].correlationid for e in events if e[1].type == "employee.changed")
    moved = {
        data.task_id
        for _, envelope, data in events
        if envelope.correlationid == correlation_id and isinstance(data, TaskAssignedV1)
    }
    assert tasks <= moved
    assert not kept & moved


def test_the_last_assignable_employee_with_open_tasks_cannot_leave(world: World) -> None:
    leaver = world.employee()
    world.run(create_task, leaver.employee_id, title="Sweep")

    with pytest.raises(ConflictError) as refusal:
        world.run(change_employee, employee_id=leaver.employee_id, changes=Changes(is_active=False))

    assert refusal.value.slug == "no-assignable-employee"
    assert world.one("select is_active from employees") is True
    assert world.one("select max(version) from employees") == 1


def test_the_last_assignable_employee_without_tasks_may_leave(world: World) -> None:
    leaver = world.employee()

    left = world.run(
        change_employee, employee_id=leaver.employee_id, changes=Changes(is_active=False)
    )

    assert not left.is_active


@pytest.mark.parametrize("changes", [Changes(is_active=False), Changes(role="worker")])
def test_the_last_admin_stays(world: World, changes: Changes) -> None:
    admin = world.employee("admin")

    with pytest.raises(ConflictError) as refusal:
        world.run(change_employee, employee_id=admin.employee_id, changes=changes)

    assert refusal.value.slug == "last-admin"
    world.employee("admin")
    world.run(change_employee, employee_id=admin.employee_id, changes=changes)


@pytest.mark.parametrize("changes", [Changes(is_active=False), Changes(role="manager")])
def test_a_new_standing_ends_the_sessions(world: World, changes: Changes) -> None:
    employee = world.employee()
    now = world.clock()
    with world.engine.begin() as connection:
        session_id = start_session(connection, employee_id=employee.employee_id, now=now)

    world.run(change_employee, employee_id=employee.employee_id, changes=changes)

    with world.engine.begin() as connection:
        assert find_session(connection, session_id, now=now) is None


def test_a_new_password_ends_the_sessions_of_the_old_one(world: World) -> None:
    employee = world.employee()
    now = world.clock()
    with world.engine.begin() as connection:
        session_id = start_session(connection, employee_id=employee.employee_id, now=now)
        set_password(connection, employee_id=employee.employee_id, password_hash="x")

    with world.engine.begin() as connection:
        assert find_session(connection, session_id, now=now) is None
