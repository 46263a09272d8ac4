"""The gate's own few pages: plain words for people, JSON for programs."""

import html

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, Response

# Without `form-action`: signing out leads on to the provider, which it would forbid.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
}
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - Dagster</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto;
  padding: 0 1rem }}
a, button {{ font: inherit }}
</style></head>
<body><main><h1>{title}</h1><p>{text}</p>{more}</main></body></html>
"""
SIGN_OUT = '<form method="post" action="/auth/logout"><button>Sign out</button></form>'
AGAIN = '<p><a href="/">Try again</a></p>'
TO_DAGSTER = '<p><a href="/">To Dagster</a></p>'


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a person looks at the answer, rather than a page's script."""
    return "text/html" in connection.headers.get("accept", "")


def answer(
    connection: HTTPConnection, status: int, title: str, text: str, more: str = AGAIN
) -> Response:
    """A page or a JSON object that says so; `more` is HTML of our own."""
    headers = HEADERS | ({"Retry-After": "5"} if status == 503 else {})
    if not wants_page(connection):
        return JSONResponse({"error": title, "detail": text}, status, headers)
    shown = FRAME.format(title=html.escape(title), text=html.escape(text), more=more)
    return HTMLResponse(shown, status, headers)
