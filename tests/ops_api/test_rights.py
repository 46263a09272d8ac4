"""Who may call what: every cell of role x route x owner, and default deny."""

import itertools
import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask import Flask

from ops_api.auth.identity import Identity, Service
from ops_api.auth.sessions import csrf_token
from ops_api.employees.rules import Role
from ops_api.errors import NotAllowedError
from ops_api.tasks.commands import create_task
from ops_api.web import guard
from ops_api.web.guard import COOKIE
from ops_api.web.operations import operation_of
from ops_api.web.rights import SCOPES, Rule, may, rule_of
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, service, signed_in, slug

CALLERS = ("nobody", "worker", "manager", "accountant", "admin", "service")
EMPLOYEES = {"worker", "manager", "accountant", "admin"}
EVERYONE = {*CALLERS}
MANAGERS = {"manager", "admin"}
CLOSERS = {"admin", "service"}
# Who comes in, and the scope a token needs (None: no token is enough); the same table as in the
# code, written down a second time.
TABLE: dict[str, tuple[set[str], str | None]] = {
    "GET /health": (EVERYONE, None),
    "GET /ready": (EVERYONE, None),
    "GET /metrics": (CLOSERS, "metrics:read"),
    "GET /static/<version>/<path:name>": (EVERYONE, None),
    "POST /preferences": (EVERYONE, None),
    "GET /api/v1/openapi.json": (EVERYONE, None),
    "GET /api/reference": (EVERYONE, None),
    "GET /login": (EVERYONE, None),
    "POST /login": (EVERYONE, None),
    "POST /logout": (EMPLOYEES, None),
    "GET /forgot-password": (EVERYONE, None),
    "POST /forgot-password": (EVERYONE, None),
    "GET /set-password": (EVERYONE, None),
    "POST /set-password": (EVERYONE, None),
    "GET /password": (EMPLOYEES, None),
    "POST /password": (EMPLOYEES, None),
    "GET /sessions": (EMPLOYEES, None),
    "POST /sessions/<uuid:handle>/end": (EMPLOYEES, None),
    "POST /sessions/end-others": (EMPLOYEES, None),
    "GET /.well-known/openid-configuration": (EVERYONE, None),
    "GET /oauth/authorize": (EVERYONE, None),
    "GET /oauth/jwks": (EVERYONE, None),
    "GET /oauth/logout": (EVERYONE, None),
    "POST /oauth/token": (EVERYONE, None),
    "GET /oauth/userinfo": (EVERYONE, None),
    "POST /oauth/userinfo": (EVERYONE, None),
    "GET /": (EMPLOYEES, None),
    "GET /employees": ({"admin"}, None),
    "POST /employees": ({"admin"}, None),
    "GET /employees/new": ({"admin"}, None),
    "GET /employees/<uuid:employee_id>": ({"admin"}, None),
    "POST /employees/<uuid:employee_id>": ({"admin"}, None),
    "POST /employees/<uuid:employee_id>/end-sessions": ({"admin"}, None),
    "POST /employees/<uuid:employee_id>/sign-in-link": ({"admin"}, None),
    "GET /security": ({"admin"}, None),
    "GET /tasks": (MANAGERS, None),
    "GET /tasks.csv": (MANAGERS, None),
    "GET /tasks/new": (EMPLOYEES, None),
    "GET /tasks/<uuid:task_id>": (EMPLOYEES, None),
    "POST /tasks": (EMPLOYEES, None),
    "POST /tasks/<uuid:task_id>/complete": (EMPLOYEES, None),
    "POST /tasks/reassign": (MANAGERS, None),
    "POST /api/v1/session": (EVERYONE, None),
    "DELETE /api/v1/session": (EMPLOYEES, None),
    "POST /api/v1/sign-in-links": (EVERYONE, None),
    "POST /api/v1/sign-in-links/redeem": (EVERYONE, None),
    "GET /api/v1/me": (EMPLOYEES, "profile"),
    "PUT /api/v1/me/password": (EMPLOYEES, None),
    "GET /api/v1/me/sessions": (EMPLOYEES, None),
    "DELETE /api/v1/me/sessions": (EMPLOYEES, None),
    "DELETE /api/v1/me/sessions/<uuid:handle>": (EMPLOYEES, None),
    "GET /api/v1/me/today": (EMPLOYEES, "tasks:read"),
    "GET /api/v1/tasks": (EMPLOYEES, "tasks:read"),
    "GET /api/v1/tasks/<uuid:task_id>": (EMPLOYEES, "tasks:read"),
    "POST /api/v1/tasks": (EMPLOYEES, "tasks:write"),
    "POST /api/v1/tasks/<uuid:task_id>/complete": (EMPLOYEES, "tasks:write"),
    "POST /api/v1/tasks/reassign": (MANAGERS, "tasks:write"),
    "GET /api/v1/employees": (MANAGERS, "employees:read"),
    "GET /api/v1/employees/<uuid:employee_id>": (MANAGERS, "employees:read"),
    "POST /api/v1/employees": ({"admin"}, "employees:write"),
    "PATCH /api/v1/employees/<uuid:employee_id>": ({"admin"}, "employees:write"),
    "POST /api/v1/employees/<uuid:employee_id>/sign-in-link": ({"admin"}, "employees:write"),
    "GET /api/v1/security-events": ({"admin"}, "employees:read"),
    "GET /api/v1/employees/<uuid:employee_id>/sessions": ({"admin"}, "employees:read"),
    "DELETE /api/v1/employees/<uuid:employee_id>/sessions": ({"admin"}, "employees:write"),
    "GET /api/v1/business-days": ({"accountant", *CLOSERS}, "days:close"),
    "POST /api/v1/business-days/close-due": (CLOSERS, "days:close"),
    "POST /api/v1/business-days/<day>/close": (CLOSERS, "days:close"),
    "POST /api/v1/business-days/<day>/remove-archived": ({"service"}, "days:close"),
}
# What a task's holder, its author and everybody else may do with it; rows are roles.
HOLDER_AND_AUTHOR = {"holder": True, "author": True, "other": False}
AUTHOR_AND_OTHER = {"author": True, "other": True}  # managers and admins hold no tasks
SEES = {
    "worker": HOLDER_AND_AUTHOR,
    "accountant": HOLDER_AND_AUTHOR,
    "manager": AUTHOR_AND_OTHER,
    "admin": AUTHOR_AND_OTHER,
}
PLACEHOLDERS = {"day": "2026-03-01", "version": "0", "name": "ates.css"}


def routes(app: Flask) -> dict[str, Callable[..., object]]:
    """`GET /path` and the view behind it, for every route there is."""
    return {
        f"{method} {rule.rule}": app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def call(app: Flask, world: World, who: str, name: str) -> int:
    """The status of a call without content; who is not signed in afterwards does not matter."""
    method, rule = name.split(" ")
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: PLACEHOLDERS.get(found[1], str(uuid4())), rule)
    client = caller(app, world, who)
    cookie = client.http.get_cookie(COOKIE)
    fields = {"csrf_token": csrf_token(cookie.value)} if cookie else {}
    headers = {"Idempotency-Key": "x", "Accept": "application/json"}
    is_form = method != "GET" and not path.startswith(guard.API_PREFIXES)
    data = fields if is_form else None
    with client.http.open(path, method=method, data=data, headers=headers) as response:
        return response.status_code


def caller(app: Flask, world: World, who: str) -> Client:
    if who == "nobody":
        return nobody(app)
    return service(app) if who == "service" else signed_in(app, world, who)


def test_every_route_is_in_the_table_and_has_its_scope(app: Flask) -> None:
    found = routes(app)

    assert found.keys() == TABLE.keys()
    for name, view in found.items():
        assert rule_of(view).scope == TABLE[name][1], name
        assert rule_of(view).scope in {None, *SCOPES}


@pytest.mark.parametrize("who", CALLERS)
def test_each_caller_reaches_their_routes_and_no_other(app: Flask, world: World, who: str) -> None:
    refused = {401} if who == "nobody" else {403}
    wrong = []
    for name, (allowed, _) in TABLE.items():
        status = call(app, world, who, name)
        is_judge = name.endswith(
            ("/login", "/session", "/token", "/userinfo", "POST /password")
        )  # it is where one shows a secret, and a wrong one is refused
        is_refused = status in refused and not (is_judge and who in allowed)
        if is_refused is (who in allowed):
            wrong.append(f"{name}: {status}")

    assert wrong == []


@pytest.mark.parametrize(
    ("role", "whose"),
    [cell for cell in itertools.product(SEES, ("holder", "author", "other"))
     if cell[1] in SEES[cell[0]]],
)  # fmt: skip
def test_a_task_is_seen_by_those_whom_it_concerns(
    app: Flask, world: World, role: str, whose: str
) -> None:
    client, task_id = beside_a_task(app, world, role, whose)

    response = client.get(f"/api/v1/tasks/{task_id}")

    assert (response.status_code == 200) is SEES[role][whose]
    assert response.status_code == 200 or slug(response) == "not-yours"


@pytest.mark.parametrize(
    ("role", "whose"),
    [cell for cell in itertools.product(SEES, ("holder", "author", "other"))
     if cell[1] in SEES[cell[0]]],
)  # fmt: skip
def test_a_task_is_completed_by_its_holder_alone(
    app: Flask, world: World, role: str, whose: str
) -> None:
    client, task_id = beside_a_task(app, world, role, whose)

    response = client.send(f"/api/v1/tasks/{task_id}/complete")

    assert (response.status_code == 200) is (whose == "holder")
    assert response.status_code == 200 or slug(response) == "not-the-assignee"
    assert world.one("select count(*) from tasks where status = 'done'") == (whose == "holder")


def beside_a_task(app: Flask, world: World, role: str, whose: str) -> tuple[Client, UUID]:
    """Somebody of that role who holds a task, has created it, or has nothing to do with it."""
    holder = signed_in(app, world, role if whose == "holder" else "worker")
    assert holder.employee is not None
    author_id = world.employee("manager").employee_id
    if whose == "holder":
        return holder, world.run(create_task, author_id, title="Sweep").task_id
    client = None
    if whose == "author" and role in MANAGERS:
        client = signed_in(app, world, role)
        assert client.employee is not None
        author_id = client.employee.employee_id
    task_id = world.run(create_task, author_id, title="Sweep").task_id
    if client is None:
        client = signed_in(app, world, role)  # after the draw, so that they cannot be the holder
        assert client.employee is not None
        if whose == "author":
            made = "update tasks set created_by = :employee_id returning 1"
            world.one(made, employee_id=client.employee.employee_id)
    return client, task_id


def test_a_route_without_a_rule_is_closed_to_everybody(own_app: Flask, world: World) -> None:
    own_app.add_url_rule("/api/v1/forgotten", view_func=lambda: "open")

    statuses = {
        who: caller(own_app, world, who).get("/api/v1/forgotten").status_code for who in CALLERS
    }

    assert statuses == dict.fromkeys(CALLERS, 403) | {"nobody": 401}


def test_a_token_needs_the_scope_of_the_call(app: Flask) -> None:
    """Nobody's token opens a route whose scope it has not, whatever its owner's role."""
    for name, view in routes(app).items():
        rule = rule_of(view)
        if "anyone" in rule.rights:
            continue
        for granted in (frozenset(), *(frozenset({scope}) for scope in SCOPES)):
            with app.test_request_context():
                guard.g.scopes = granted
                is_open = is_let_in(rule)
            assert is_open is (rule.scope is not None and rule.scope in granted), name


def is_let_in(rule: Rule) -> bool:
    """Whether the scopes of the present token are enough for an owner whose role is."""
    role: Role = "admin" if "admin" in rule.rights else "manager"
    identity = Identity(employee_id=uuid4(), name="P", email="p@example.com", role=role)
    try:
        guard._require_right(identity if may(identity, rule) else Service(), rule)
    except NotAllowedError:
        return False
    return True


def test_every_call_of_the_api_declares_what_it_takes(app: Flask) -> None:
    undeclared = {
        name for name, view in routes(app).items()
        if name.partition(" ")[2].startswith("/api/v1/") and operation_of(view) is None
    }  # fmt: skip

    assert undeclared == {"GET /api/v1/openapi.json"}


def test_every_unsafe_call_of_the_api_wants_a_key(app: Flask) -> None:
    without = {
        name for name, view in routes(app).items()
        if (declared := operation_of(view)) and not name.startswith("GET ")
        and not declared.is_keyed
    }  # fmt: skip

    # Their answers are secrets, or nothing; doing them twice is doing them once.
    assert without == {
        "POST /api/v1/session", "DELETE /api/v1/session",
        "POST /api/v1/sign-in-links", "POST /api/v1/sign-in-links/redeem",
        "PUT /api/v1/me/password",
        "DELETE /api/v1/me/sessions", "DELETE /api/v1/me/sessions/<uuid:handle>",
    }  # fmt: skip
