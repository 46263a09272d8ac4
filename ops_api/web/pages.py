"""Pages: how one is shown, and what becomes of a form that was sent.

A form that was carried out sends the browser to an address it may load again, where `notice` says
what has happened; one that was refused comes back with the reason and what was typed.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from flask import Flask, Response, render_template, request

from ops_api.errors import RuleViolation, TooManyTriesError
from ops_api.idempotency.commands import Answer
from ops_api.tasks.history import Today, today_of
from ops_api.web import wording
from ops_api.web.forms import form_key
from ops_api.web.guard import employee
from ops_api.web.problems import Problem
from ops_api.web.state import tracker
from ops_api.web.texts import WORDS_LENGTH_MAX

# What an address may tell of what has just happened, and then leaves out.
NOTICES = frozenset({"created", "done", "ended", "reassigned", "saved", "sent"})


class Refusal(msgspec.Struct, frozen=True):
    """Why a form was not carried out, in the reader's language, and when it may be, if later."""

    status: int
    words: str
    retry_after_seconds: int | None = None


def install(app: Flask) -> None:
    """Let templates write links to the page at hand with another filter."""
    app.jinja_env.globals["address_with"] = address_with


def show(
    template: str, *, refusal: Refusal | None = None, etag: str = "", **values: Any
) -> Response:
    """A page for the employee who is signed in, with what today has brought them on top."""
    if "today" not in values:
        values["today"] = today()
    page = render_template(template, refusal=refusal, **values)
    response = answered(page, refusal)
    if etag:
        response.set_etag(etag, weak=True)
    return response


def answered(page: str, refusal: Refusal | None) -> Response:
    """A page, with the status and the wait of the refusal that stands on it."""
    response = Response(page, 200 if refusal is None else refusal.status)
    if refusal is not None and refusal.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(refusal.retry_after_seconds)
    return response


def attempt(act: Callable[[str], Answer]) -> Any:
    """Carry a form out under its key: the JSON of the answer, or a Refusal."""
    try:
        answer = act(form_key())
    except RuleViolation as violation:
        return refusal_of(violation)
    if answer.status >= 400:
        return _refusal(msgspec.json.decode(answer.body, type=Problem))
    return msgspec.json.decode(answer.body)


def refusal_of(violation: RuleViolation) -> Refusal:
    """What a page says of a refusal."""
    wait_seconds = (
        violation.retry_after_seconds if isinstance(violation, TooManyTriesError) else None
    )
    words = wording.refusal(violation.slug, violation.detail)
    return Refusal(violation.status, words, wait_seconds)


def see_other(path: str, **notice: object) -> Response:
    """Send the browser to a page, with something to tell."""
    parts = urlsplit(path)
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in NOTICES]
    encoded = urlencode([*query, *((name, str(value)) for name, value in notice.items())])
    return Response(
        status=303, headers={"Location": f"{parts.path}?{encoded}" if encoded else parts.path}
    )


def came_from(*paths: str, otherwise: str) -> str:
    """The page of ours with the form that was sent, with its query, if it is one of these."""
    parts = urlsplit(request.referrer or "")
    if parts.netloc != request.host or parts.path not in paths:
        return otherwise
    return f"{parts.path}?{parts.query}"


def address_with(path: str = "", **changes: object) -> str:
    """The present address (or another one) with other values in its query; None leaves one out."""
    kept = {name: value for name, value in request.args.items() if name not in NOTICES}
    query = {name: str(value) for name, value in (kept | changes).items() if value}
    encoded = urlencode(query)
    target = path or request.path
    return f"{target}?{encoded}" if encoded else target


def words_of(name: str) -> str:
    """What the address looks for under this name; PostgreSQL's texts hold no NUL."""
    return request.args.get(name, "")[:WORDS_LENGTH_MAX].replace("\0", "").strip()


def today() -> Today:
    """What the running business day has charged and brought the employee who is signed in."""
    who = employee().employee_id
    now, zone = tracker().clock(), tracker().zone
    return tracker().read(lambda each: today_of(each, who, now=now, zone=zone))


def _refusal(found: Problem) -> Refusal:
    slug = found.type.rpartition(":")[2]
    return Refusal(found.status, wording.refusal(slug, found.detail))
