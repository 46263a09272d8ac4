"""Signing in at the gate, and out: sessions, cookies, what the provider says or does not say."""

import time

import pytest
import requests

from pipelines.gateway import provider
from tests.pipelines.gate_world import HTML, Browser, GateWorld

QUERY = {"operationName": "Runs", "query": "query Runs { runs { id } }", "variables": {}}


def test_signing_out_ends_the_session_here_and_at_the_provider(gate: GateWorld) -> None:
    browser = gate.browser("admin")
    old = browser.cookie_header()

    answer = browser.post(
        f"{gate.url}/auth/logout", headers={"Origin": gate.url}, allow_redirects=False, timeout=9
    )

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{gate.provider.url}/oauth/logout?")
    browser.get(answer.headers["Location"], allow_redirects=False, timeout=9)
    assert gate.provider.tokens == {}
    replayed = requests.get(f"{gate.url}/x", headers={"Cookie": old}, timeout=9)
    assert replayed.status_code == 401


def test_a_sign_out_elsewhere_is_noticed(gate: GateWorld) -> None:
    browser = gate.browser("admin")
    gate.provider.tokens.clear()
    time.sleep(0.25)

    assert browser.ask(QUERY).status_code == 401


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(gate: GateWorld) -> None:
    hops = Browser(gate.url).page("/x").history

    assert len(hops) == 3
    for hop in (hops[0], hops[2]):
        for cookie in hop.raw.headers.getlist("set-cookie"):
            assert "httponly" in cookie.lower() or "max-age=0" in cookie.lower()
            assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize(
    "changes", [{"nonce": "other"}, {"aud": "other"}, {"iss": "http://other"}, {"exp": 1},
                {"sub": "other"}]
)  # fmt: skip
def test_an_id_token_that_is_not_for_us_signs_nobody_in(
    gate: GateWorld, changes: dict[str, object]
) -> None:
    gate.provider.id_token_changes.update(changes)
    browser = gate.browser()

    assert browser.page("/").status_code == 400
    assert browser.ask(QUERY).status_code == 401


def test_an_answer_without_its_question_signs_nobody_in(gate: GateWorld) -> None:
    asking = gate.browser()
    hop = asking.get(f"{gate.url}/", headers=HTML, allow_redirects=False, timeout=9)
    back = asking.get(hop.headers["Location"], allow_redirects=False, timeout=9)

    another = gate.browser().get(back.headers["Location"], headers=HTML, timeout=9)
    forged = asking.get(back.headers["Location"].replace("state=", "state=x"), timeout=9)

    assert (another.status_code, forged.status_code) == (400, 400)
    gate.provider.issuer = "http://another.example"
    assert gate.browser().page("/").status_code == 400


def test_another_host_name_leads_to_the_right_one(gate: GateWorld) -> None:
    answer = requests.get(
        gate.url.replace("127.0.0.1", "localhost") + "/runs?a=1",
        headers=HTML, allow_redirects=False, timeout=9,
    )  # fmt: skip

    assert (answer.status_code, answer.headers["Location"]) == (307, f"{gate.url}/runs?a=1")


def test_a_silent_provider_is_told_plainly(
    gate: GateWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = gate.browser("admin")
    gate.provider.is_silent = True
    time.sleep(0.25)

    assert known.ask(QUERY).status_code == 200  # its last answer still stands
    new = gate.browser().page("/")
    assert new.status_code == 503
    assert "does not answer" in new.text
    assert new.headers["Retry-After"] == "5"
    monkeypatch.setattr(provider, "SILENCE_SECONDS_MAX", 0.0)
    assert known.ask(QUERY).status_code == 503
    gate.provider.is_silent = False
    assert known.ask(QUERY).status_code == 200
