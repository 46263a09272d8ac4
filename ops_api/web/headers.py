"""Headers of every answer: pages, JSON, static files and errors alike.

Nothing is loaded from elsewhere, no script or style stands inside a page, no page is framed, and
what concerns a person is kept in no cache. A page whose form ends at another site (signing in for
a client, and back to it) names that site in `g.form_targets`.
"""

from flask import Flask, Response, g

from ops_api.web.guard import is_api_path
from ops_api.web.state import tracker

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"


def install(app: Flask) -> None:
    """Put the headers behind every route of the app."""
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if targets := g.get("form_targets"):
        allowed = f"form-action 'self' {' '.join(targets)}"
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
            "form-action 'self'", allowed
        )
    if response.status_code == 401 and is_api_path():
        response.headers.setdefault("WWW-Authenticate", 'Bearer realm="ates"')
    if tracker().settings.is_https:
        response.headers["Strict-Transport-Security"] = HSTS
    return response
