"""The pages that stand in the menu, each for those who may open it."""

from dataclasses import dataclass

from flask import Flask, g
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from ops_api.auth.identity import Identity
from ops_api.web import wording
from ops_api.web.rights import Rule, may
from ops_api.web.state import tracker


@dataclass(frozen=True)
class Page:
    """One line of the menu."""

    path: str
    title: LazyString
    rule: Rule


PAGES = (
    Page("/", lazy_gettext("My tasks"), Rule(frozenset({"employee"}))),
    Page("/tasks", lazy_gettext("All tasks"), Rule(frozenset({"manager", "admin"}))),
    Page("/employees", lazy_gettext("Employees"), Rule(frozenset({"admin"}))),
    Page("/security", lazy_gettext("Security"), Rule(frozenset({"admin"}))),
)


def install(app: Flask) -> None:
    """Tell every template who is reading and where they may go."""
    app.context_processor(lambda: {"who": _reader()})
    app.jinja_env.globals["pages_of"] = pages_of
    app.jinja_env.globals["dashboards_url"] = _dashboards_url
    app.jinja_env.globals["role_name"] = wording.role_name
    app.jinja_env.globals["theme_name"] = wording.theme_name


def pages_of(who: Identity) -> list[Page]:
    """The menu of this employee."""
    return [page for page in PAGES if may(who, page.rule)]


def _reader() -> Identity | None:
    """The employee who is signed in, also on a page that says no."""
    caller = g.get("caller")
    return caller if isinstance(caller, Identity) else None


def _dashboards_url() -> str:
    """Where accounts, statements and the company's figures are shown."""
    return tracker().settings.dashboards_url
