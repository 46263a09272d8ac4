"""Who is asking, once it has been checked."""

from uuid import UUID

import msgspec

from ops_api.employees.rules import Role


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in employee."""

    employee_id: UUID
    name: str
    email: str
    role: Role


class Service(msgspec.Struct, frozen=True):
    """One of our own services, known by a token of its own; it has no account and no role."""


Caller = Identity | Service


def actor_of(caller: Caller) -> str:
    """The caller's name in stored answers and logs."""
    return str(caller.employee_id) if isinstance(caller, Identity) else "service"
