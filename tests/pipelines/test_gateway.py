"""The gate before Dagster: every role, nobody, foreign pages, web sockets, what breaks."""

import json
import time
from socket import create_connection
from urllib.parse import urlsplit

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from pipelines.gateway import app as gate_app
from pipelines.gateway.rules import ACCESS_HEADER
from tests.pipelines.gate_world import (
    HTML,
    PATIENCE_SECONDS,
    GateWorld,
    eventually,
    gate_world,
    socket,
)

QUERY = {"operationName": "Runs", "query": "query Runs { runs { id } }", "variables": {}}
MUTATION = {"operationName": "Launch", "query": "mutation Launch { launch { id } }"}
# What a viewer's request must never be taken for: something that only reads.
DISGUISES = (
    MUTATION,
    {"query": "query A { a } mutation B { b }", "operationName": "A"},
    {"query": "mutation { a }"},
    {"query": "not graphql"},
    {"query": "{" * 5000},
    {"query": None},
    [QUERY],
    "query",
)


def test_an_admin_passes_by_the_provider_and_gets_everything(gate: GateWorld) -> None:
    browser = gate.browser()
    gate.provider.who = "admin"

    first = browser.page("/runs/a%2Fb?cursor=x%20y")

    assert (first.status_code, first.json()) == (200, {"path": "/runs/a%2Fb"})
    assert gate.dagster.seen[0][1] == "/runs/a%2Fb?cursor=x%20y"
    assert browser.ask(MUTATION).status_code == 200
    assert json.loads(gate.dagster.seen[-1][3]) == MUTATION
    assert browser.post(
        f"{gate.url}/report_asset_materialization/x", headers={"Origin": gate.url}, timeout=9
    ).ok


def test_a_browser_that_leaves_in_the_middle_of_a_request_is_no_fault(
    gate: GateWorld, caplog: pytest.LogCaptureFixture
) -> None:
    admin = gate.browser("admin")
    begun = (
        f"POST /graphql HTTP/1.1\r\nHost: {urlsplit(gate.url).netloc}\r\nOrigin: {gate.url}\r\n"
        f"Cookie: {admin.cookie_header()}\r\nContent-Length: 100\r\n\r\nhalf"
    )
    seen_before = len(gate.dagster.seen)

    for _ in range(3):
        with create_connection(("127.0.0.1", urlsplit(gate.url).port)) as leaving:
            leaving.sendall(begun.encode())
            time.sleep(0.1)  # the gate is reading when the browser leaves
    eventually(lambda: admin.page("/still-there").ok)

    assert len(gate.dagster.seen) == seen_before + 1
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_dagster_never_sees_cookies_and_browsers_never_its(gate: GateWorld) -> None:
    browser = gate.browser("admin")

    answer = browser.get(
        f"{gate.url}/x", timeout=9, headers={
            "Connection": f"X-Odd, {ACCESS_HEADER}", "X-Odd": "1", "X-Kept": "1",
            "Authorization": "Bearer x",
        },
    )  # fmt: skip

    passed = gate.dagster.seen[-1][2]
    assert {"cookie", "x-odd", "authorization"}.isdisjoint(passed)
    assert (passed["x-kept"], passed[ACCESS_HEADER]) == ("1", "full")
    assert passed["host"].startswith("127.0.0.1:")
    assert answer.headers["X-Answer"] == "yes"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert {"Set-Cookie", "Keep-Alive"}.isdisjoint(answer.headers)


@pytest.mark.parametrize("role", ["worker", "manager", "accountant"])
def test_other_roles_are_told_so_and_reach_nothing(gate: GateWorld, role: str) -> None:
    browser = gate.browser(role)

    page = browser.page("/")
    asked = browser.ask(QUERY)

    assert page.status_code == asked.status_code == 403
    assert f"Popug {role}, {role}" in page.text
    assert asked.json()["error"] == "Not for you"
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        socket(browser).recv(PATIENCE_SECONDS)
    assert gate.dagster.seen == gate.dagster.said == []


def test_nobody_reaches_nothing(gate: GateWorld) -> None:
    nobody = gate.browser()

    sent_away = nobody.get(f"{gate.url}/runs", headers=HTML, allow_redirects=False, timeout=9)
    answers = [
        nobody.get(f"{gate.url}/runs", timeout=9),
        nobody.ask(QUERY),
        nobody.ask(QUERY, Cookie="ates_dagster=" + "x" * 43),
        nobody.ask(QUERY, Authorization="Bearer anything"),
    ]

    assert sent_away.status_code == 302
    assert sent_away.headers["Location"].startswith(f"{gate.provider.url}/oauth/authorize?")
    assert [answer.status_code for answer in answers] == [401] * 4
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        socket(nobody).recv(PATIENCE_SECONDS)
    assert gate.dagster.seen == gate.dagster.said == []


def test_a_viewer_looks_and_changes_nothing(gate: GateWorld) -> None:
    browser = gate.browser("viewer")

    assert browser.page("/", **{ACCESS_HEADER: "full"}).status_code == 200
    assert browser.ask(QUERY, **{ACCESS_HEADER: "full"}).status_code == 200
    assert json.loads(gate.dagster.seen[-1][3]) == QUERY
    assert {seen[2][ACCESS_HEADER] for seen in gate.dagster.seen} == {"read"}
    named = browser.post(
        f"{gate.url}/graphql?op=Runs", json=QUERY, headers={"Origin": gate.url}, timeout=9
    )
    assert named.status_code == 200
    count = len(gate.dagster.seen)
    for disguise in DISGUISES:
        refused = browser.ask(disguise)
        assert refused.status_code == 403, disguise
        assert refused.json()["error"] == "You may only look"
    own = {"Origin": gate.url}
    others = [
        browser.post(f"{gate.url}/graphql", data=json.dumps(QUERY), headers=own, timeout=9),
        browser.post(f"{gate.url}/graphql", data="query { a }", timeout=9,
                     headers=own | {"Content-Type": "application/graphql"}),
        browser.post(f"{gate.url}/graphql?op=Runs", json=MUTATION, headers=own, timeout=9),
        browser.post(f"{gate.url}/graphql", files={"x": b"y"}, headers=own, timeout=9),
        browser.post(f"{gate.url}/report_asset_check/x", json={}, headers=own, timeout=9),
        browser.put(f"{gate.url}/graphql", json=QUERY, headers=own, timeout=9),
    ]  # fmt: skip
    assert [answer.status_code for answer in others] == [403] * 6
    assert len(gate.dagster.seen) == count


def test_a_field_that_is_there_twice_cannot_smuggle_a_mutation(gate: GateWorld) -> None:
    browser = gate.browser("viewer")
    text = '{"query": "mutation { a }", "query": "query { a }"}'

    browser.post(
        f"{gate.url}/graphql", data=text, timeout=9,
        headers={"Origin": gate.url, "Content-Type": "application/json"},
    )  # fmt: skip

    assert gate.dagster.seen[-1][3] == b'{"query": "query { a }"}'


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
def test_a_foreign_page_changes_nothing_and_follows_nothing(gate: GateWorld, origin: str) -> None:
    browser = gate.browser("admin")

    asked = browser.ask(MUTATION, Origin=origin)
    signed_out = browser.post(
        f"{gate.url}/auth/logout", headers={"Origin": origin} if origin else {}, timeout=9
    )
    by_link = browser.get(f"{gate.url}/graphql?query=mutation%20{{a}}", timeout=9)

    assert [asked.status_code, signed_out.status_code, by_link.status_code] == [403, 403, 405]
    with pytest.raises((InvalidStatus, ConnectionClosed)):
        socket(browser, Origin=origin or "http://evil.example").recv(PATIENCE_SECONDS)
    assert gate.dagster.seen[1:] == gate.dagster.said == []
    assert browser.page("/").status_code == 200


def test_the_web_socket_passes_messages_both_ways(gate: GateWorld) -> None:
    message = json.dumps({"type": "start", "id": "1", "payload": MUTATION})

    with socket(gate.browser("admin")) as opened:
        assert opened.subprotocol == "graphql-ws"
        opened.send(message)
        assert opened.recv(PATIENCE_SECONDS) == f"echo {message}"

    eventually(lambda: gate.dagster.said[-1] == "left")


def test_a_viewer_may_subscribe_and_a_mutation_ends_the_socket(gate: GateWorld) -> None:
    subscribe = {"query": "subscription Logs { logs { id } }", "variables": {"run": 1}}
    browser = gate.browser("viewer")

    with socket(browser, **{ACCESS_HEADER: "full"}) as opened:
        assert gate.dagster.seen[-1][2][ACCESS_HEADER] == "read"
        opened.send('{"type": "connection_init", "payload": {}}')
        assert "connection_init" in str(opened.recv(PATIENCE_SECONDS))
        opened.send(json.dumps({"type": "start", "id": "1", "payload": subscribe}))
        assert "subscription Logs" in str(opened.recv(PATIENCE_SECONDS))
        opened.send(json.dumps({"type": "start", "id": "2", "payload": MUTATION}))
        with pytest.raises(ConnectionClosed):
            opened.recv(PATIENCE_SECONDS)

    assert not any("mutation" in each for each in gate.dagster.said)


def test_who_loses_the_right_loses_pages_and_open_sockets(gate: GateWorld) -> None:
    browser = gate.browser("admin")
    with socket(browser) as opened:
        opened.send("hello")
        opened.recv(PATIENCE_SECONDS)
        for token in gate.provider.tokens:
            gate.provider.tokens[token] = "worker"
        with pytest.raises(ConnectionClosed):
            opened.recv(PATIENCE_SECONDS)

    assert browser.page("/").status_code == 403


def test_answers_come_as_they_are_made(gate: GateWorld) -> None:
    began = time.monotonic()
    with gate.browser("admin").get(f"{gate.url}/slow", stream=True, timeout=9) as answer:
        parts = answer.iter_content(None)
        assert next(parts) == b"part 0\n"
        assert b"".join(parts) == b"part 1\npart 2\n"
    assert time.monotonic() - began >= 0.6


def test_a_body_that_is_too_large_is_refused(gate: GateWorld) -> None:
    browser = gate.browser("admin")

    answer = browser.ask({"query": "x" * (9 * 1024 * 1024)})

    assert answer.status_code == 413


def test_what_an_admin_changes_is_logged_with_who(
    gate: GateWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", gate_app.logger.name):
        browser = gate.browser("admin")
        browser.ask(QUERY)
        browser.ask(MUTATION)

    assert "event=dagster_signed_in actor=admin" in caplog.messages
    assert [each for each in caplog.messages if "changed" in each] == [
        "event=dagster_changed actor=admin mutations=Launch"
    ]


def test_without_dagster_the_gate_says_so(gate: GateWorld) -> None:
    assert requests.get(f"{gate.url}/auth/ready", timeout=9).json() == {"status": "ready"}
    with gate_world(has_dagster=False) as alone:
        browser = alone.browser("admin")

        page = browser.page("/")
        ready = requests.get(f"{alone.url}/auth/ready", timeout=9)
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            socket(browser).recv(PATIENCE_SECONDS)

    assert (page.status_code, ready.status_code) == (503, 503)
    assert "Dagster&#x27;s web server does not answer" in page.text
