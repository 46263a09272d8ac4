"""Who may call what. A route without a rule is closed, and a test says which one it is."""

from collections.abc import Callable
from typing import Literal, TypeVar

from ops_api.auth.identity import Caller, Identity

# `anyone` needs no session, `employee` is every signed-in one, `service` is the service token.
Right = Literal["anyone", "employee", "worker", "manager", "accountant", "admin", "service"]

View = TypeVar("View", bound=Callable[..., object])


def allow(*who: Right) -> Callable[[View], View]:
    """Open a route to some; place it under the route's own decorator."""

    def mark(view: View) -> View:
        view.rights = frozenset(who)  # type: ignore[attr-defined]
        return view

    return mark


def rights_of(view: Callable[..., object] | None) -> frozenset[Right]:
    """To whom a route is open; nobody, when nothing was said."""
    rights: frozenset[Right] = getattr(view, "rights", frozenset())
    return rights


def may(caller: Caller | None, rights: frozenset[Right]) -> bool:
    """Whether this caller is among those."""
    if "anyone" in rights:
        return True
    if isinstance(caller, Identity):
        return "employee" in rights or caller.role in rights
    return caller is not None and "service" in rights
