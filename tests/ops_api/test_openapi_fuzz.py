"""Whatever is sent, in whatever role: nothing but what the document says.

Schemathesis reads the document over HTTP and sends what it allows and what it forbids, alone and in
sequences (what one call created the next one uses), with every check it has. `make fuzz` sends many
times as much, in every role all of it.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from werkzeug.serving import WSGIRequestHandler, make_server

from ops_api.tasks.commands import create_task
from ops_api.tasks.queries import Filter, page_of_all_tasks
from ops_api.web.guard import COOKIE
from tests.ops_api.conftest import World
from tests.ops_api.http import service_token, signed_in

ROLES = ("nobody", "worker", "manager", "accountant", "admin", "service")
# Examples of an operation in a role; given by `make fuzz`.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
IS_DEEP = EXAMPLES > 1
STEPS = 6 if IS_DEEP else 3
# The systematic phase is long; the others' rights end many of its calls before they are read.
COVERED_ROLES = set(ROLES) if IS_DEEP else {"admin"}
COUNT_CALLS_MIN = 20
SEED = 20261124
KEY = "Idempotency-Key"

pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Thousands of lines would say nothing."""


@pytest.fixture
def address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The application behind a server of its own."""
    monkeypatch.setenv("NO_PROXY", "*")
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_answered_but_what_the_document_says(
    app: Flask, world: World, address: str, role: str
) -> None:
    author = world.employee()
    for number in range(2):
        world.run(create_task, author.employee_id, title=f"Sweep {number}")
    with world.engine.begin() as connection:
        cursor = page_of_all_tasks(connection, Filter(), limit=2).next_cursor
    letters = st.characters(categories=("L", "N", "P"), codec="utf-8")
    schemathesis.openapi.format("line", st.text(letters, min_size=1, max_size=200))
    schemathesis.openapi.format("cursor", st.just(cursor))

    schema = schemathesis.openapi.from_url(
        f"{address}/api/v1/openapi.json", config=config(app, world, role)
    )
    # Signing out would leave the rest of the run to nobody.
    found, statuses = outcome(from_schema(schema.exclude(operation_id="delete_session")).execute())

    assert found == []
    assert len(statuses) >= COUNT_CALLS_MIN
    assert (200 in statuses) is (role != "nobody")


def config(app: Flask, world: World, role: str) -> SchemathesisConfig:
    """All phases and checks, few examples, always the same ones."""
    described: dict[str, Any] = {
        "seed": SEED,
        "continue-on-failure": True,
        "generation": {
            "max-examples": EXAMPLES,
            "deterministic": True,
            "no-shrink": True,
            "database": "none",
        },
        "phases": {
            "coverage": {"enabled": role in COVERED_ROLES},
            "stateful": {"max-steps": STEPS},
        },
    }
    if role == "service":
        described["headers"] = {"Authorization": f"Bearer {service_token(app)}"}
    elif role != "nobody":
        cookie = signed_in(app, world, role).http.get_cookie(COOKIE)
        assert cookie is not None
        described["auth"] = {"openapi": {"session": {"api_key": cookie.value}}}
    return SchemathesisConfig.from_dict(described)


@schemathesis.hook("before_call")
def give_a_fresh_key(_: object, case: Any, __: object) -> None:
    """Two wishes of the fuzzer are two wishes, although it likes to say the same keys again."""
    is_valid = case.meta is not None and case.meta.generation.mode.is_positive
    if is_valid and KEY in (case.headers or {}):
        case.headers[KEY] = str(uuid4())


def outcome(seen: Iterable[Any]) -> tuple[list[str], list[int]]:
    """What was wrong, a line each, and the statuses of all answers but to OPTIONS."""
    wrong: list[str] = []
    statuses: list[int] = []
    for event in seen:
        if isinstance(event, events.NonFatalError | events.FatalError):
            wrong.append(f"{event}")
        if isinstance(event, events.ScenarioFinished):
            answers = {
                case_id: interaction.response
                for case_id, interaction in event.recorder.interactions.items()
                if interaction.response is not None
            }
            # What a route takes may be asked by anybody; Flask answers that by itself.
            statuses += [
                answers[case_id].status_code
                for case_id, interaction in event.recorder.interactions.items()
                if case_id in answers and interaction.request.method != "OPTIONS"
            ]
            wrong += [
                f"{check.name}: {check.failure_info.failure} {check.failure_info.code_sample} "
                f"{answers[case_id].content[:300]!r}"
                for case_id, checks in event.recorder.checks.items()
                for check in checks
                if check.failure_info is not None
            ]
    return wrong, statuses
