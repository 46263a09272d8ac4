"""What holds for employees: names, addresses, roles and who can be drawn for a task."""

import re
from typing import Literal, get_args

from ops_api.errors import UnacceptableError
from ops_api.lines import clean_line

Role = Literal["worker", "manager", "accountant", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
UNASSIGNABLE_ROLES = frozenset({"manager", "admin"})
NAME_LENGTH_MAX = 200
EMAIL_LENGTH_MAX = 254

# One address as people write it: something, @, something; no space, no second address.
_EMAIL = re.compile(r"""[^\s@,;<>()\[\]\\"]+@[^\s@,;<>()\[\]\\"]+""")


def is_assignable(*, role: str, is_active: bool) -> bool:
    """Whether tasks may be drawn onto such an employee."""
    return is_active and role not in UNASSIGNABLE_ROLES


def clean_name(name: str) -> str:
    """The name in NFC without outer spaces; refuses what cannot be shown on one line."""
    return clean_line(name, what="name", length_max=NAME_LENGTH_MAX)


def clean_email(email: str) -> str:
    """The address without outer spaces; refuses what is no single address."""
    cleaned = clean_line(email, what="email", length_max=EMAIL_LENGTH_MAX)
    if not _EMAIL.fullmatch(cleaned):
        raise UnacceptableError("bad-email", "That is not an e-mail address.")
    return cleaned


def clean_role(role: str) -> Role:
    """One of the four roles."""
    for known in ROLES:
        if role == known:
            return known
    raise UnacceptableError("bad-role", f"A role is one of: {', '.join(ROLES)}.")
