"""Whoever has forgotten the password asks for a link, and nobody learns who works here."""

import hashlib
import logging
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from flask import Flask
from prometheus_client import REGISTRY, generate_latest

from ops_api.auth import passwords
from ops_api.auth.limits import LINKS
from ops_api.auth.rules import LINK_PAUSE
from ops_api.employees.models import Employee
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, slug
from tests.ops_api.letters import PASSWORD, letter, refusal, token_in

ASK = "/api/v1/sign-in-links"


@pytest.fixture
def polly(world: World) -> Employee:
    """Somebody without a password."""
    return world.employee()


def test_asking_gets_the_same_answer_whoever_s_the_address_is(
    app: Flask, world: World, polly: Employee
) -> None:
    answers = [
        nobody(app).submit("/forgot-password", {"email": email})
        for email in (polly.email.upper(), "nobody@example.com", "no address", "\0")
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert world.one("select count(*) from sign_in_links") == 1
    assert letter(world).email == polly.email
    ask = nobody(app).send(ASK, {"email": polly.email}, key="")
    assert (ask.status_code, ask.data) == (202, b"")


def test_asking_makes_the_same_work_for_an_unknown_address(app: Flask, world: World) -> None:
    work = []
    for email in (world.employee().email, "nobody@example.com"):
        with world.statements() as sent:
            nobody(app).send(ASK, {"email": email}, key="")
        work.append(sent)

    assert work[0] == work[1]
    assert any("sign_in_links" in statement for statement in work[1])


def test_who_asks_again_at_once_keeps_the_link_that_is_under_way(
    app: Flask, world: World, polly: Employee
) -> None:
    nobody(app).send(ASK, {"email": polly.email}, key="")
    first = token_in(letter(world))
    nobody(app).send(ASK, {"email": polly.email}, key="")
    assert token_in(letter(world)) == first

    world.clock.now += LINK_PAUSE
    nobody(app).send(ASK, {"email": polly.email}, key="")

    assert token_in(letter(world)) != first
    assert refusal(app, first) == "no-such-link"


def test_the_browser_that_asked_goes_on_where_it_wanted_to_go_and_no_other(
    app: Flask, world: World, polly: Employee
) -> None:
    wanted = "/tasks/new?title=Sweep the roof".replace(" ", "+")
    asking, another = nobody(app), nobody(app)
    login = asking.page("/login?" + urlencode({"next": wanted}))
    (way,) = re.findall(r'href="(/forgot-password[^"]*)"', login.text)
    page = asking.page(unescape(way))
    assert f'href="/login?{urlencode({"next": wanted})}"' in page.text
    form = asking.form(page, "/forgot-password")
    asking.submit("/forgot-password", form | {"email": polly.email})

    def chosen(browser: Client) -> str | None:
        token = token_in(letter(world))
        choice = {"token": token, "new": PASSWORD, "again": PASSWORD}
        return browser.submit("/set-password", choice).location

    assert chosen(asking) == wanted
    for browser in (asking, another):
        nobody(app).submit("/forgot-password", {"email": polly.email})
        assert chosen(browser) == "/", "where to go is kept once, and in one browser"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example"])
def test_where_to_go_after_a_link_is_within_the_tracker(
    app: Flask, world: World, polly: Employee, target: str
) -> None:
    browser = nobody(app)
    asked = browser.submit("/forgot-password", {"email": polly.email, "next": target})
    browser.http.set_cookie("ates_next", target, path="/set-password")
    choice = {"token": token_in(letter(world)), "new": PASSWORD, "again": PASSWORD}

    assert "Set-Cookie" not in asked.headers
    assert browser.submit("/set-password", choice).location == "/"


@pytest.mark.parametrize("is_known", [True, False])
def test_asking_too_often_is_refused_for_a_while(
    app: Flask, world: World, polly: Employee, is_known: bool
) -> None:
    email = polly.email if is_known else "nobody@example.com"
    for _ in range(LINKS.free_tries_of_pair + 1):
        assert nobody(app).send(ASK, {"email": email}, key="").status_code == 202

    refused = nobody(app).send(ASK, {"email": email}, key="")
    page = nobody(app).submit("/forgot-password", {"email": email})

    assert (refused.status_code, slug(refused)) == (429, "too-many-tries")
    assert refused.headers["Retry-After"] == page.headers["Retry-After"] == "1"
    assert page.status_code == 429
    assert f'value="{email}"' in page.text


def test_a_link_for_a_forgotten_password_is_short_lived_and_in_its_reader_s_language(
    app: Flask, world: World
) -> None:
    reader = world.employee(password_hash=passwords.hash_password(PASSWORD))
    client = nobody(app)
    credentials = {"email": reader.email, "password": PASSWORD}
    client.send("/api/v1/session", credentials, key="", **{"Accept-Language": "ru"})

    nobody(app).send(ASK, {"email": reader.email}, key="", **{"Accept-Language": "en"})

    found = letter(world)
    assert found.subject == "Новый пароль для «Задач попугов»"
    assert 'lang="ru"' in found.html
    assert "до 2 мар. 2026" in found.text
    assert "13:00 UTC" in found.text
    stranger = nobody(app)
    stranger.send(ASK, {"email": world.employee().email}, key="", **{"Accept-Language": "ru"})
    subjects = str(world.one("select string_agg(letter, '') from sign_in_links"))
    assert "Добро пожаловать" in subjects, "in the asker's, while the reader's is not known"


def test_the_token_is_nowhere_but_in_the_letter(
    app: Flask, world: World, polly: Employee, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = nobody(app)
    browser.submit("/forgot-password", {"email": polly.email})
    found = letter(world)
    token = token_in(found)
    stored = world.one("select token_hash from sign_in_links")
    assert bytes(stored) == hashlib.sha256(token.encode()).digest()  # type: ignore[call-overload]

    address = f"/set-password?token={token}"
    browser.page(address)
    browser.page(f"{address}&" + "&".join(f"p{n}=1" for n in range(30)))
    browser.submit("/set-password", {"token": token, "new": "x", "again": "x"})
    browser.submit("/preferences", {"theme": "dark"}, Referer=f"http://localhost{address}")
    browser.submit("/set-password", {"token": token, "new": PASSWORD, "again": PASSWORD})
    browser.page(address)

    kept = str(world.one("select string_agg(event || ' ' || detail, ' ') from security_events"))
    figures = generate_latest(REGISTRY).decode()
    assert {"link_requested", "password_set", "link_refused"} <= set(kept.split())
    for place in (caplog.text, kept, figures):
        assert token not in place
        assert PASSWORD not in place
