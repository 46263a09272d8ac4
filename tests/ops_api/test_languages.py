"""English and Russian: who gets which, and that nothing is left without a translation."""

import re

import pytest
from babel.messages.pofile import read_po
from flask import Flask

from ops_api.translations.__main__ import updated
from ops_api.web.forms import money
from ops_api.web.languages import LANGUAGES, SOURCE, catalog_path
from tests.ops_api.conftest import World
from tests.ops_api.http import Client, nobody, signed_in

PLACEHOLDER = re.compile(r"%\(\w+\)s")
OTHERS = [name for name in LANGUAGES if name != SOURCE]
RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}


def speaking(client: Client, languages: str, path: str = "/login") -> str:
    return client.get(path, Accept="text/html", **{"Accept-Language": languages}).text


@pytest.mark.parametrize("name", OTHERS)
def test_a_catalog_holds_the_texts_of_today(name: str) -> None:
    path = catalog_path(name)

    assert path.read_bytes() == updated(name), "run python -m ops_api.translations"


@pytest.mark.parametrize("name", OTHERS)
def test_every_text_is_translated_with_its_placeholders(name: str) -> None:
    with catalog_path(name).open("rb") as file:
        catalog = read_po(file, locale=name)
    problems = []
    for message in catalog:
        sources = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = set(PLACEHOLDER.findall(sources[-1]))
        if message.id and (
            message.fuzzy
            or not all(texts)
            or any(set(PLACEHOLDER.findall(text)) != wanted for text in texts)
        ):
            problems.append(sources[0])

    assert len(catalog) > 0
    assert problems == [], f"translate them in {catalog_path(name).name}"


@pytest.mark.parametrize(
    ("accepted", "word"),
    [
        ("ru", "Войти"),
        ("ru-RU,ru;q=0.9,en;q=0.5", "Войти"),
        ("en-GB,en;q=0.9,ru;q=0.8", "Sign in"),
        ("de", "Sign in"),
        ("", "Sign in"),
        ("\u0000;;q=x", "Sign in"),
    ],
)
def test_a_page_speaks_what_the_browser_accepts(app: Flask, accepted: str, word: str) -> None:
    assert f">{word}<" in speaking(nobody(app), accepted.replace("\u0000", "%"))


def test_a_reader_s_choice_counts_more_than_the_browser_s(app: Flask) -> None:
    client = nobody(app)

    changed = client.submit(
        "/preferences", {"language": "ru", "theme": "dark"}, Referer="http://localhost/login?x=1"
    )

    assert (changed.status_code, changed.location) == (303, "/login?x=1")
    page = speaking(client, "en")
    assert '<html lang="ru" data-theme="dark" data-bs-theme="dark">' in page
    assert ">Войти<" in page


@pytest.mark.parametrize("field", [{"language": "xx"}, {"theme": "pink"}, {"language": "en.po"}])
def test_an_unknown_preference_is_refused(app: Flask, field: dict[str, str]) -> None:
    client = nobody(app)

    assert client.submit("/preferences", field).status_code == 422
    assert client.http.get_cookie("ates_language") is None


@pytest.mark.parametrize("referrer", ["http://evil.example/x", "http://localhost//evil.example"])
def test_preferences_lead_nowhere_but_to_us(app: Flask, referrer: str) -> None:
    headers = {"Referer": referrer, "Origin": "http://localhost"}
    response = nobody(app).submit("/preferences", {"theme": "light"}, **headers)

    assert response.status_code == 303
    assert response.location in {"/", "/evil.example"}


def test_refusals_are_translated_on_pages_and_never_in_the_api(app: Flask, world: World) -> None:
    worker = signed_in(app, world)

    page = worker.submit("/tasks/reassign", {}, **RUSSIAN)
    api = worker.send("/api/v1/tasks/reassign", {}, **RUSSIAN)

    assert (page.status_code, api.status_code) == (403, 403)
    assert "вашей роли нет на это права." in page.text
    assert api.get_json()["detail"] == "Your role has no right to this."


def test_a_failure_s_page_speaks_the_reader_s_language(app: Flask) -> None:
    page = speaking(nobody(app), "ru", "/none")

    assert "По этому адресу ничего нет." in page
    assert "Not found" not in page


def test_amounts_are_written_as_the_language_writes_them(app: Flask) -> None:
    with app.test_request_context(headers=RUSSIAN):
        assert money(-123456789) == "\N{MINUS SIGN}1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567,89"
    with app.test_request_context():
        assert money(-123456789) == "\N{MINUS SIGN}1,234,567.89"
