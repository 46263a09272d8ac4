"""`ates employee`: the first people of an installation, and forgotten passwords.

Passwords and links are made up and printed once; only their hashes are kept.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ates.commands.errors import shown_plainly

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from ops_api.context import CommandContext
    from ops_api.settings import TrackerSettings

ROLES = ("worker", "manager", "accountant", "admin")


@click.group("employee")
def command() -> None:
    """Add employees, list them, give them new passwords or links to choose one by."""


@command.command("add")
@click.argument("name")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), default="worker", show_default=True)
@shown_plainly
def add(name: str, email: str, role: str) -> None:
    """Register NAME under EMAIL and print a password once."""
    from ops_api.auth.passwords import generate_password, hash_password
    from ops_api.employees.commands import register_employee

    password = generate_password()
    with _tracker() as (connection, context, _):
        employee = register_employee(
            connection,
            context,
            name=name,
            email=email,
            role=role,
            password_hash=hash_password(password),
        )
        _record(connection, "registered", employee.employee_id, role=role)
    click.echo(f"{employee.employee_id}  {employee.email}  {employee.role}")
    click.echo(f"password: {password}")


@command.command("list")
@shown_plainly
def list_all() -> None:
    """Print one line per employee: id, role, whether active, address, name."""
    from ops_api.employees.queries import FIRST, PAGE_EMPLOYEES_MAX, page_of_employees

    after = FIRST
    with _tracker() as (connection, _, _):
        while page := page_of_employees(connection, after=after, limit=PAGE_EMPLOYEES_MAX):
            for each in page:
                activity = "active" if each.is_active else "left"
                click.echo(
                    f"{each.employee_id}  {each.role:<10}  {activity:<6}  {each.email}  {each.name}"
                )
            after = page[-1].employee_id


@command.command("password")
@click.argument("email")
@shown_plainly
def password(email: str) -> None:
    """Print a new password for EMAIL once, and end the sessions of the old one."""
    from ops_api.auth.passwords import generate_password, hash_password
    from ops_api.employees.commands import set_password

    new_password = generate_password()
    with _tracker() as (connection, _, _):
        employee_id = _employee_id(connection, email)
        set_password(connection, employee_id=employee_id, password_hash=hash_password(new_password))
        _record(connection, "password_set", employee_id)
    click.echo(f"password: {new_password}")


@command.command("link")
@click.argument("email")
@shown_plainly
def link(email: str) -> None:
    """Print a link by which EMAIL can choose a password, once; it ends an older one."""
    from ops_api.auth.letters import link_address
    from ops_api.auth.link_commands import make_link
    from ops_api.auth.links import find_addressee
    from ops_api.clock import system_clock

    with _tracker() as (connection, _, settings):
        employee_id = _employee_id(connection, email)
        to = find_addressee(connection, employee_id)
        if to is None:
            raise click.ClickException(f"{email} has left")
        token, expires_at = make_link(
            connection, to, now=system_clock(), lifetimes=settings.link_lifetimes
        )
        _record(connection, "link_made", employee_id)
    click.echo(link_address(settings.tracker_url, token))
    click.echo(f"works once, until {expires_at:%Y-%m-%d %H:%M} UTC", err=True)


def _employee_id(connection: Connection, email: str) -> UUID:
    from ops_api.employees.queries import find_employee_by_email

    employee = find_employee_by_email(connection, email.strip())
    if employee is None:
        raise click.ClickException(f"nobody has the address {email}")
    return employee.employee_id


def _record(connection: Connection, event: str, employee_id: UUID, **detail: str) -> None:
    """Write down for admins what somebody with a shell on this machine has done."""
    from ops_api.clock import system_clock
    from ops_api.security_log import record_security

    record_security(
        connection,
        event=event,
        at=system_clock(),
        actor="command line",
        employee_id=employee_id,
        **detail,
    )


@contextlib.contextmanager
def _tracker() -> Iterator[tuple[Connection, CommandContext, TrackerSettings]]:
    """One transaction on the migrated database; refusals and silence become a sentence."""
    from sqlalchemy.exc import OperationalError

    from ates import settings
    from contracts.environment import read_environment
    from ops_api.clock import system_clock
    from ops_api.context import CommandContext
    from ops_api.database import create_engine, migrate
    from ops_api.errors import RuleViolation
    from ops_api.ids import uuid7
    from ops_api.settings import TrackerSettings

    tracker = read_environment(TrackerSettings, settings.load().environment())
    rng = random.SystemRandom()
    context = CommandContext(
        actor_id=None,
        clock=system_clock,
        rng=rng,
        correlation_id=uuid7(system_clock(), rng),
        business_timezone=tracker.zone,
    )
    engine = create_engine(tracker.database_url)
    try:
        migrate(tracker.database_url)
        with engine.begin() as connection:
            yield connection, context, tracker
    except RuleViolation as refusal:
        raise click.ClickException(refusal.detail) from refusal
    except OperationalError as error:
        raise click.ClickException(f"cannot use the database: {str(error.orig).strip()}") from error
    finally:
        engine.dispose()
