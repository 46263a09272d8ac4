"""The pages' languages: English as written in the code, others from `locale/*.po` by gettext.

A choice is kept in a cookie and goes before what the browser says it speaks.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from urllib.parse import urlsplit

import streamlit as st
from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.support import NullTranslations, Translations
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from contracts.environment import read_environment
from dashboards.locale import FOLDER, read_catalog
from dashboards.settings import DashboardSettings

DEFAULT = "en"
NAMES = {"en": "English", "ru": "Русский"}
COOKIE = "ates_language"
COOKIE_SECONDS = 365 * 24 * 3600

_chosen: ContextVar[str | None] = ContextVar("language", default=None)


def _(text: str) -> str:
    """A text of the code in the language of whoever looks."""
    return _translations(language()).gettext(text)


def _n(one: str, many: str, count: int) -> str:
    """The form that goes with a count; the caller formats the count into it."""
    return _translations(language()).ngettext(one, many, count)


def noted(text: str) -> str:
    """A text that is translated later, by whoever shows it."""
    return text


def language() -> str:
    """The language of whoever looks at this run of a page, or of the block of `speaking`."""
    return _chosen.get() or _of_browser(st.context.cookies, [st.context.locale or ""])


def locale() -> Locale:
    """The same for numbers and dates."""
    return _locale(language())


@cache
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@contextmanager
def speaking(name: str) -> Iterator[str]:
    """A language for code that runs outside of a page."""
    token = _chosen.set(name)
    try:
        yield name
    finally:
        _chosen.reset(token)


def language_of(request: Request) -> str:
    """The language of a request that is not a page's run."""
    spoken = request.headers.get("accept-language", "").split(",")
    return _of_browser(request.cookies, [each.partition(";")[0].strip() for each in spoken])


def _of_browser(cookies: Mapping[str, str], spoken: list[str]) -> str:
    if (choice := cookies.get(COOKIE)) in NAMES:
        return str(choice)
    known = negotiate_locale([each for each in spoken if each], list(NAMES), sep="-")
    return known or DEFAULT


@cache
def _translations(name: str) -> NullTranslations:
    """The texts of a language; compiled in memory, so that no compiled file can be out of date."""
    if name == DEFAULT:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_catalog(FOLDER / f"{name}.po"))
    compiled.seek(0)
    return Translations(compiled)


def _choose(request: Request) -> Response:
    """Keep the choice and go back to the page it was made on."""
    name = request.path_params["name"]
    if name not in NAMES:
        return PlainTextResponse("There is no such language.", 404)
    back = urlsplit(request.headers.get("referer", ""))
    path = f"/{back.path.lstrip('/')}" if back.netloc == request.url.netloc else "/"
    response = RedirectResponse(f"{path}?{back.query}" if back.query else path, 303)
    response.set_cookie(
        COOKIE, name, max_age=COOKIE_SECONDS, httponly=True, samesite="lax",
        secure=read_environment(DashboardSettings).dashboards_url.startswith("https:"),
    )  # fmt: skip
    return response


ROUTES = [Route("/language/{name}", _choose)]
