"""The mailbox in a browser: a list, and one message with its text and HTML, nothing executed."""

import email
import email.message
import email.policy

import msgspec
from flask import Flask, Response, abort, render_template, request

from ates.mailbox.store import PAGE_ROWS, Row, Store, readable

PAGES_MAX = 100_000
SEARCH_LENGTH_MAX = 200
POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
# A message's own HTML: its inline styles and embedded images, no script, no request to anybody.
MESSAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Body(msgspec.Struct, frozen=True):
    """What a message says; empty where it has no such part."""

    text: str
    html: str


def make_app(store: Store) -> Flask:
    """The pages over one store."""
    app = Flask(__name__, static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]  # no other site may read the mail

    @app.get("/")
    def messages() -> str:
        recipient = request.args.get("to", "").strip()[:SEARCH_LENGTH_MAX]
        page = min(max(request.args.get("page", 1, type=int), 1), PAGES_MAX)
        count, distinct = store.count(recipient)
        return render_template(
            "messages.html",
            rows=store.page(recipient, page),
            recipient=recipient,
            page=page,
            pages=max(1, -(-count // PAGE_ROWS)),
            count=count,
            distinct=distinct,
        )

    @app.get("/messages/<int:number>")
    def message(number: int) -> str:
        row = _row(store, number)
        parsed = email.message_from_bytes(store.content(row), policy=email.policy.compat32)
        shown = ("From", "To", "Subject", "Date", "Message-ID")
        headers = [(name, readable(parsed[name])) for name in shown if parsed[name]]
        return render_template("message.html", row=row, headers=headers, body=body_of(parsed))

    @app.get("/messages/<int:number>/html")
    def message_html(number: int) -> Response:
        parsed = email.message_from_bytes(
            store.content(_row(store, number)), policy=email.policy.compat32
        )
        response = Response(body_of(parsed).html, mimetype="text/html")
        response.headers["Content-Security-Policy"] = MESSAGE_POLICY + "frame-ancestors 'self'"
        return response

    @app.get("/messages/<int:number>/file")
    def message_file(number: int) -> Response:
        row = _row(store, number)
        response = Response(store.content(row), mimetype="message/rfc822")
        response.headers["Content-Disposition"] = f'attachment; filename="{row.file}"'
        return response

    @app.get("/style.css")
    def style() -> Response:
        return Response(render_template("style.css"), mimetype="text/css")

    @app.get("/health")
    def health() -> Response:
        store.count()
        return Response("ok\n", mimetype="text/plain")

    @app.after_request
    def protect(response: Response) -> Response:
        policy = POLICY + "base-uri 'none'; frame-ancestors 'none'"
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.update(HEADERS)
        return response

    return app


def body_of(message: email.message.Message) -> Body:
    """The first plain and the first HTML part, attachments left out."""
    found = {"text/plain": "", "text/html": ""}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in found and not found[kind] and part.get_content_disposition() != "attachment":
            found[kind] = _text(part)
    return Body(text=found["text/plain"], html=found["text/html"])


def _text(part: email.message.Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:  # a character set nobody knows
        return payload.decode("utf-8", errors="replace")


def _row(store: Store, number: int) -> Row:
    row = store.row(number)
    if row is None:
        abort(404)
    return row
