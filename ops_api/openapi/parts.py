"""What every call of the API has in common, as the OpenAPI document says it."""

from typing import Any

from ops_api.web.guard import COOKIE
from ops_api.web.problems import MEDIA_TYPE
from ops_api.web.requests import (
    BODY_BYTES_MAX,
    IDEMPOTENCY_KEY,
    KEY_LENGTH_MAX,
    KEY_PATTERN,
    QUERY_PARAMETERS_MAX,
)

Json = dict[str, Any]

DESCRIPTION = f"""\
Amounts are whole cents, times UTC, ids UUIDs. A program sends a bearer token of the OpenID
provider, which needs the scope that a call names; a browser sends its session's cookie.

Every call that changes something wants an `{IDEMPOTENCY_KEY}`, fresh for each wish: the same
request under the same key is carried out once and answered alike (`Idempotent-Replayed: true`).
Lists come a page at a time: `next_cursor` of one page is the `cursor` of the next, and null after
the last. A read answers an `ETag`; sent back as `If-None-Match` it saves the body.

What is refused is answered by a problem (RFC 9457): its `type` ends in a word that programs may
rely on, its `detail` says what to do. Unknown fields and parameters are refused, not ignored."""

TAGS = [
    {"name": "auth", "description": "Who one is, and one's sessions."},
    {"name": "tasks", "description": "Tasks, and what they brought today."},
    {"name": "employees", "description": "The people and their roles."},
    {"name": "days", "description": "Business days and their certificates."},
]

# By the converter of the route's placeholder, or by its name where it has none.
PATH_SCHEMAS: dict[str, Json] = {
    "uuid": {"type": "string", "format": "uuid"},
    "day": {"type": "string", "format": "date"},
}

SECURITY_SCHEMES: dict[str, Json] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"The session of a browser; on https its name is `__Host-{COOKIE}`.",
    },
    "token": {
        "type": "openIdConnect",
        "openIdConnectUrl": "/.well-known/openid-configuration",
        "description": "A bearer token of the tracker's own OpenID provider.",
    },
}

_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}


def _refusal(description: str, headers: Json | None = None) -> Json:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": description, "content": content} | (
        {"headers": headers} if headers else {}
    )


REFUSALS: dict[int, Json] = {
    400: _refusal(
        "It cannot be read: malformed JSON, a thing said twice, more than "
        f"{QUERY_PARAMETERS_MAX} parameters, a cursor or a key that is none."
    ),
    401: _refusal(
        "Nobody is known to be asking.",
        {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    ),
    403: _refusal("The one who asks may not, by role, by scope or by whose it is."),
    404: _refusal("There is no such thing."),
    413: _refusal(f"A body may hold {BODY_BYTES_MAX} bytes."),
    415: _refusal("A body must be application/json."),
    422: _refusal("It can be read, but a value or a field is impossible."),
    429: _refusal("Too often; later it may work.", _RETRY_AFTER),
    503: _refusal("The database is away or too busy; soon it may work.", _RETRY_AFTER),
}
CONFLICT = "It contradicts the present state"

PARAMETERS: dict[str, Json] = {
    "idempotency-key": {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "required": True,
        "description": "Fresh for each wish, the same for a repetition of it.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": KEY_LENGTH_MAX,
            "pattern": KEY_PATTERN,
        },
    },
    "if-none-match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of an earlier answer.",
        "schema": {"type": "string"},
    },
}

ETAG = {"ETag": {"description": "Of this very answer.", "schema": {"type": "string"}}}


def conflict(slugs: tuple[str, ...]) -> Json:
    """The 409 of a call that may answer these slugs."""
    return _refusal(f"{CONFLICT}: {', '.join(f'`{slug}`' for slug in slugs)}.")
