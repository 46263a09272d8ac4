"""A client that talks to the application as a program or as a browser does."""

import re
from dataclasses import dataclass
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ops_api.auth.sessions import start_session
from ops_api.employees.models import Employee
from ops_api.web.guard import COOKIE
from tests.ops_api.conftest import World

HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


@dataclass
class Client:
    """One signed-in employee, or nobody."""

    http: FlaskClient
    employee: Employee | None = None

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.http.get(path, headers=headers)

    def send(
        self,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        method: str = "POST",
        **headers: str,
    ) -> TestResponse:
        """A JSON call with a fresh key, unless one is given; an empty key sends none."""
        if key != "":
            headers["Idempotency-Key"] = key or str(uuid4())
        return self.http.open(path, method=method, json=body, headers=headers)

    def page(self, path: str) -> TestResponse:
        return self.http.get(path, headers={"Accept": HTML})

    def submit(self, path: str, fields: dict[str, str], **headers: str) -> TestResponse:
        return self.http.post(path, data=fields, headers={"Accept": HTML, **headers})

    def form(self, page: TestResponse, action: str) -> dict[str, str]:
        """The hidden fields of the form that posts to `action`, itself or by one of its buttons."""
        found = [
            form
            for form in re.findall(r"<form.*?</form>", page.text, re.DOTALL)
            if f'action="{action}"' in form
        ]
        assert found, f"no form for {action}"
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[0]))


def nobody(app: Flask) -> Client:
    """Somebody who has not signed in."""
    return Client(app.test_client())


def signed_in(app: Flask, world: World, role: str = "worker") -> Client:
    """A new employee of that role with a session."""
    employee = world.employee(role)
    with world.engine.begin() as connection:
        session_id = start_session(connection, employee_id=employee.employee_id, now=world.clock())
    client = Client(app.test_client(), employee)
    client.http.set_cookie(COOKIE, session_id)
    return client


def service(app: Flask, token: str | None = None) -> Client:
    """One of our own services; it gets its token from the provider, unless one is given."""
    client = app.test_client()
    token = token or service_token(app)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return Client(client)


def service_token(app: Flask) -> str:
    """What the provider gives the pipelines."""
    secret = app.extensions["tracker"].settings.oidc_pipelines_secret
    answer = app.test_client().post(
        "/oauth/token", data={"grant_type": "client_credentials"}, auth=("pipelines", secret)
    )
    token: str = answer.get_json()["access_token"]
    return token


def slug(response: TestResponse) -> str:
    """The slug of a problem, whose shape is checked on the way."""
    assert response.mimetype == "application/problem+json", response.text
    problem: dict[str, str] = response.get_json()
    assert int(problem["status"]) == response.status_code
    assert problem["title"]
    assert problem["detail"]
    prefix, _, found = problem["type"].rpartition(":")
    assert prefix == "urn:ates:problem"
    return found
