"""English and Russian: which of them a reader gets, and the texts of each.

A text in code or template is English and is its own key. The catalogs (`translations/*.po`) are
read when the application starts; `python -m ops_api.translations` brings new texts into them, and
a test fails while one has no translation.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, gettext

FOLDER = Path(__file__).parents[1] / "translations"
# Each with the name its speakers give it.
LANGUAGES = {"en": "English", "ru": "Русский"}
SOURCE = "en"
COOKIE = "ates_language"


class _Catalogs(Domain):  # type: ignore[misc]  # flask_babel has no types
    """Every catalog, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._by_language = {name: _read(name) for name in LANGUAGES}

    def get_translations(self) -> Translations:
        return self._by_language[language()]


class _Languages(Babel):  # type: ignore[misc]  # the same
    @cached_property
    def domain_instance(self) -> Domain:
        return _Catalogs()


def install(app: Flask) -> None:
    """Let templates and code speak the reader's language."""
    babel = _Languages(app, default_locale=SOURCE, locale_selector=language)
    assert babel.domain_instance
    app.jinja_env.globals["language"] = language
    app.jinja_env.globals["languages"] = LANGUAGES


def language() -> str:
    """The language of the present request; English where there is none."""
    if not has_request_context():
        return SOURCE
    chosen: str | None = g.get("language")
    if chosen is None:
        chosen = g.language = _chosen()
    return chosen


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """Another language within a request: for what somebody else than the asker will read."""
    kept = language()
    g.language = name
    try:
        yield
    finally:
        g.language = kept


def translated(text: str, **values: object) -> str:
    """A text in the reader's language, with values in the places of `%(name)s`.

    A catalog has no empty text: its key would be the catalog's own header.
    """
    return str(gettext(text, **values)) if text else ""


def _chosen() -> str:
    cookie = request.cookies.get(COOKIE, "")
    if cookie in LANGUAGES:
        return cookie
    return request.accept_languages.best_match(list(LANGUAGES), SOURCE)


def catalog_path(name: str) -> Path:
    """Where a language's texts lie."""
    return FOLDER / f"{name}.po"


def _read(name: str) -> Translations:
    if name == SOURCE:
        return Translations()
    with catalog_path(name).open("rb") as file:
        catalog = read_po(file, locale=name)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled)
