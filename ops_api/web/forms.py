"""Forms of our pages: what each carries, and how amounts and moments are shown.

A form carries the session's token and an Idempotency-Key of its own, so a double click or a second
"send again" does nothing twice.
"""

import datetime as dt
import secrets

from flask import Flask, request

from ops_api.auth.sessions import csrf_token
from ops_api.web.guard import CSRF_FIELD, session_id
from ops_api.web.requests import checked_key
from ops_api.web.state import tracker

KEY_FIELD = "idempotency_key"
KEY_BYTES = 16
CENTS_PER_UNIT = 100


def install(app: Flask) -> None:
    """Teach the templates about forms, money and moments."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["money"] = money
    app.jinja_env.filters["moment"] = _moment
    app.jinja_env.globals["csrf_field"] = CSRF_FIELD
    app.jinja_env.globals["csrf_token"] = lambda: csrf_token(session_id())
    app.jinja_env.globals["key_field"] = KEY_FIELD
    app.jinja_env.globals["new_key"] = lambda: secrets.token_urlsafe(KEY_BYTES)


def form_key() -> str:
    """The Idempotency-Key of the form that was sent; raises InvalidRequestError."""
    return checked_key(request.form.get(KEY_FIELD, ""))


def money(amount_cents: int) -> str:
    """Whole units without decimals, anything else with two."""
    units, cents = divmod(abs(amount_cents), CENTS_PER_UNIT)
    sign = "\N{MINUS SIGN}" if amount_cents < 0 else ""
    return f"{sign}{units:,}" + (f".{cents:02}" if cents else "")


def _moment(at: dt.datetime) -> str:
    """A moment in the business zone, to the minute."""
    return at.astimezone(tracker().zone).strftime("%d %b %Y, %H:%M")
