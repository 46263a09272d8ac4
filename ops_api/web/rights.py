"""Who may call what: every route carries its rule, and one without a rule is closed to everybody.

The rule has three parts. The right says which roles come in at all. `owner` stands for every
employee, but only for what is their own: the route itself checks whose it is. The scope is what a
bearer token must have been granted besides; a route without one is closed to bearer tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from ops_api.auth.identity import Caller, Identity

# `anyone` needs no session, `employee` is every signed-in one, `service` a program of ours.
Right = Literal[
    "anyone", "employee", "owner", "worker", "manager", "accountant", "admin", "service"
]
Scope = Literal[
    "profile",
    "tasks:read",
    "tasks:write",
    "employees:read",
    "employees:write",
    "days:close",
    "metrics:read",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Rule:
    """To whom a route is open, and what a bearer token needs to be granted for it."""

    rights: frozenset[Right] = frozenset()
    scope: Scope | None = None


CLOSED = Rule()


def allow(*who: Right, scope: Scope | None = None) -> Callable[[View], View]:
    """Open a route to some; place it under the route's own decorator."""

    def mark(view: View) -> View:
        view.rule = Rule(frozenset(who), scope)  # type: ignore[attr-defined]
        return view

    return mark


def rule_of(view: Callable[..., object] | None) -> Rule:
    """The rule of a route; closed, when nothing was said."""
    rule: Rule = getattr(view, "rule", CLOSED)
    return rule


def may(caller: Caller | None, rule: Rule) -> bool:
    """Whether this caller's role comes in; what is somebody else's the route refuses itself."""
    if "anyone" in rule.rights:
        return True
    if isinstance(caller, Identity):
        return bool(rule.rights & {"employee", "owner", caller.role})
    return caller is not None and "service" in rule.rights
