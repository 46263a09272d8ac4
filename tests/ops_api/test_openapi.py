"""The API's document and what is written about it: made from the code, and true."""

import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.serving import make_server

from ates.commands import openapi as openapi_command
from ops_api.auth import passwords
from ops_api.openapi import document
from tests.ops_api.conftest import World
from tests.ops_api.http import nobody
from tests.tidy.tree import PACKAGES, ROOT, python_files

PASSWORD = "correct horse battery"
EXAMPLE = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_committed_document_is_what_the_routes_make() -> None:
    result = CliRunner().invoke(openapi_command.command, ["check"])

    assert result.exit_code == 0, result.output


def test_a_document_that_differs_is_shown_with_its_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = document.COPY.read_text("utf-8")
    copy = tmp_path / "openapi.json"
    copy.write_text(text.replace("tasks:write", "tasks:steal", 1), "utf-8")
    monkeypatch.setattr(document, "COPY", copy)

    result = CliRunner().invoke(openapi_command.command, ["check"])

    assert result.exit_code == 1
    assert "tasks:steal" in result.output


def test_what_is_served_is_what_is_committed(app: Flask) -> None:
    served = nobody(app).get("/api/v1/openapi.json")

    assert served.get_json() == json.loads(document.COPY.read_text("utf-8"))


def test_every_reference_leads_somewhere() -> None:
    text = document.COPY.read_text("utf-8")
    whole = json.loads(text)

    for reference in set(re.findall(r'"#/([^"]+)"', text)):
        place = whole
        for name in reference.split("/"):
            place = place[name]


def test_conflicts_that_are_documented_exist_in_the_code() -> None:
    places = {"commands.py", "link_commands.py", "rules.py", "reassign.py"}
    code = "".join(
        path.read_text("utf-8") for path in python_files(*PACKAGES) if path.name in places
    )
    whole = json.loads(document.COPY.read_text("utf-8"))
    slugs = {
        slug
        for methods in whole["paths"].values()
        for call in methods.values()
        for slug in re.findall(
            r"`([a-z-]+)`", call["responses"].get("409", {}).get("description", "")
        )
    }

    assert slugs
    assert {slug for slug in slugs if f'"{slug}"' not in code} == set()


def test_the_reference_page_needs_nothing_from_elsewhere(app: Flask) -> None:
    page = nobody(app).page("/api/reference")

    assert page.status_code == 200
    for source in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert source.startswith("/")
        assert nobody(app).get(source).status_code == 200, source
    assert "style=" not in page.text


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The application behind a server of its own."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_examples_of_the_documentation_work(world: World, address: str, tmp_path: Path) -> None:
    polly = world.employee(password_hash=passwords.hash_password(PASSWORD))
    values = {"TRACKER": address, "EMAIL": polly.email, "PASSWORD": PASSWORD}
    examples = EXAMPLE.findall((ROOT / "docs/api.md").read_text("utf-8"))

    answers = [
        json.loads(answer)
        for example in examples
        for answer in _run(example, values, tmp_path).splitlines()
    ]

    signed_in, created, listed, today, refused = answers
    assert signed_in["email"] == polly.email
    assert (created["title"], created["jira_id"]) == ("Sweep the roof", "POPUG-7")
    assert [task["task_id"] for task in listed["tasks"]] == [created["task_id"]]
    assert today["fees_cents"] == created["fee_cents"]
    assert refused["type"] == "urn:ates:problem:bad-fields"


def _run(example: str, values: dict[str, str], folder: Path) -> str:
    """The answers of an example, a line each."""
    commands = example.replace("\\\n", " ").splitlines()
    assert all(shlex.split(command)[0] == "curl" for command in commands)
    script = "\n".join(f"{command} --noproxy '*'; echo" for command in commands)
    return subprocess.run(
        ["bash", "-ec", script], cwd=folder, env={"PATH": "/usr/bin:/bin", **values},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
