"""Who may do what behind the gate: admins everything, named viewers look, all others nothing."""

from enum import StrEnum

import msgspec

# What the gate tells Dagster's web server about each request.
ACCESS_HEADER = "x-ates-access"


class Access(StrEnum):
    """What somebody may do in Dagster."""

    NONE = "none"
    READ = "read"
    FULL = "full"


class Person(msgspec.Struct, frozen=True):
    """A signed-in employee, as the provider describes them at this moment."""

    sub: str
    name: str
    email: str
    role: str


def access_of(person: Person, viewers: frozenset[str]) -> Access:
    """An admin's role goes before the list of viewers."""
    if person.role == "admin":
        return Access.FULL
    return Access.READ if person.email.lower() in viewers else Access.NONE
