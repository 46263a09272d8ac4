"""Forms of our pages: what each carries, and how amounts and moments are shown.

A form carries the session's token and an Idempotency-Key of its own, so a double click or a second
"send again" does nothing twice.
"""

import datetime as dt
import functools
import secrets
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal
from flask import Flask, request

from ops_api.auth.sessions import csrf_token
from ops_api.web.guard import CSRF_FIELD, session_id
from ops_api.web.languages import language
from ops_api.web.requests import checked_key
from ops_api.web.state import tracker

KEY_FIELD = "idempotency_key"
KEY_BYTES = 16
CENTS_PER_UNIT = 100
MONEY_KEPT_MAX = 4096
DAYS_KEPT_MAX = 1024


def install(app: Flask) -> None:
    """Teach the templates about forms, money and moments."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["money"] = money
    app.jinja_env.filters["signed"] = signed
    app.jinja_env.filters["count"] = count
    app.jinja_env.filters["moment"] = moment
    app.jinja_env.globals["csrf_field"] = CSRF_FIELD
    app.jinja_env.globals["csrf_token"] = lambda: csrf_token(session_id())
    app.jinja_env.globals["key_field"] = KEY_FIELD
    app.jinja_env.globals["new_key"] = lambda: secrets.token_urlsafe(KEY_BYTES)


def form_key() -> str:
    """The Idempotency-Key of the form that was sent; raises InvalidRequestError."""
    return checked_key(request.form.get(KEY_FIELD, ""))


def money(amount_cents: int) -> str:
    """Whole units without decimals, anything else with two, as the reader's language writes it."""
    return _money(amount_cents, language())


@functools.lru_cache(maxsize=MONEY_KEPT_MAX)
def _money(amount_cents: int, language_name: str) -> str:
    """The same few amounts stand in every row of every page."""
    units, cents = divmod(abs(amount_cents), CENTS_PER_UNIT)
    amount = Decimal(abs(amount_cents)).scaleb(-2) if cents else units
    shown = format_decimal(amount, "#,##0.00" if cents else "#,##0", locale=language_name)
    return f"\N{MINUS SIGN}{shown}" if amount_cents < 0 else shown


def signed(amount_cents: int) -> str:
    """An amount that came in or went out, with its sign in any case but zero."""
    return f"+{money(amount_cents)}" if amount_cents > 0 else money(amount_cents)


def count(number: int) -> str:
    """A number of things, with the language's own spaces or commas between thousands."""
    return format_decimal(number, locale=language())


def moment(at: dt.datetime) -> str:
    """A moment in the business zone, to the minute, with the zone's name.

    A browser with scripts shows it in the reader's own zone instead.
    """
    zone = tracker().zone
    local = at.astimezone(zone)
    return f"{_day(local.date(), language())}, {local:%H:%M} {local.tzname() or zone.key}"


@functools.lru_cache(maxsize=DAYS_KEPT_MAX)
def _day(day: dt.date, language_name: str) -> str:
    """Many rows of a page are of the same day."""
    return format_date(day, "d MMM y", locale=language_name)
