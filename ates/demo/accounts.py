"""Who can sign in at a demonstration: one person a role, and a worker out of the log.

Passwords are made once per installation and lie in the folder of secrets, one file each.
"""

import random
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, Engine, text

from ates import passwords
from ops_api.auth.passwords import hash_password
from ops_api.clock import system_clock
from ops_api.context import CommandContext
from ops_api.employees.commands import register_employee, set_password
from ops_api.employees.queries import find_employee_by_email
from ops_api.ids import uuid7

STAFF = (
    ("admin", "Ada Admin", "admin@uberpopug.example"),
    ("manager", "Max Manager", "manager@uberpopug.example"),
    ("accountant", "Ann Accountant", "accountant@uberpopug.example"),
)

# The worker of the last demonstration, else somebody with open tasks and much behind them.
_WORKER = text("""
select employee_id, name, email, password_hash is not null as has_password
from employees
join (
    select assignee_id as employee_id, count(*) as count_tasks,
        count(*) filter (where status = 'open') as count_open
    from tasks group by assignee_id
) as work using (employee_id)
where external_id is not null and is_active and role = 'worker'
order by has_password desc, count_open > 0 desc, count_tasks desc, employee_id
limit 1
""")


class Account(msgspec.Struct, frozen=True):
    """Somebody who can sign in; `secret` is the file that holds the password."""

    role: str
    name: str
    email: str
    password: str
    secret: Path


def create_staff(engine: Engine, secrets: Path, zone: ZoneInfo) -> list[Account]:
    """An admin, a manager and an accountant; those who exist are left as they are."""
    accounts = [
        Account(role, name, email, *_password(secrets, f"demo_{role}_password"))
        for role, name, email in STAFF
    ]
    with engine.begin() as connection:
        for account in accounts:
            if find_employee_by_email(connection, account.email) is None:
                register_employee(
                    connection,
                    _context(zone),
                    name=account.name,
                    email=account.email,
                    role=account.role,
                    password_hash=hash_password(account.password),
                )
    return accounts


def choose_worker(engine: Engine, secrets: Path) -> Account | None:
    """A worker of the imported log who can sign in from now on; None when there is no such."""
    with engine.begin() as connection:
        return _choose_worker(connection, secrets)


def _choose_worker(connection: Connection, secrets: Path) -> Account | None:
    row = connection.execute(_WORKER).one_or_none()
    if row is None:
        return None
    account = Account("worker", row.name, row.email, *_password(secrets, "demo_worker_password"))
    if not row.has_password:
        set_password(
            connection,
            employee_id=row.employee_id,
            password_hash=hash_password(account.password),
        )
    return account


def _password(secrets: Path, name: str) -> tuple[str, Path]:
    return passwords.read_or_create(secrets, name), secrets / name


def _context(zone: ZoneInfo) -> CommandContext:
    rng = random.SystemRandom()
    return CommandContext(
        actor_id=None,
        clock=system_clock,
        rng=rng,
        correlation_id=uuid7(system_clock(), rng),
        business_timezone=zone,
    )
