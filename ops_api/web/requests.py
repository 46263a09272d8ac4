"""Reading requests: strict, with limits, and with a reason for every refusal."""

import hashlib
import json
import re
from typing import Any, TypeVar

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from ops_api.errors import InvalidRequestError, RuleViolation, UnacceptableError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_BYTES_MAX = 64 * 1024
JSON_DEPTH_MAX = 8
QUERY_PARAMETERS_MAX = 20
FORM_PARTS_MAX = 50
KEY_LENGTH_MAX = 200
KEY_PATTERN = "^[!-~]([ -~]*[!-~])?$"  # printable ASCII, no space at either end
IDEMPOTENCY_KEY = "Idempotency-Key"

Body = TypeVar("Body", bound=msgspec.Struct)


class WrongMediaTypeError(RuleViolation):
    """The body is in a format that we do not read here."""

    status = 415
    title = "Unsupported media type"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For calls that need no body or no query: an empty one, or an empty object."""


def read_json(kind: type[Body]) -> Body:
    """The request's JSON object as a struct.

    Raises InvalidRequestError for what is not JSON (or says a thing twice, or is too deep),
    UnacceptableError for unknown fields, wrong types and missing fields.
    """
    raw = request.get_data()
    if len(raw) >= BODY_BYTES_MAX:  # a body that came in chunks ends there without a word
        raise RequestEntityTooLarge
    if raw and request.mimetype != "application/json":
        raise WrongMediaTypeError("not-json", "The body must be application/json.")
    parsed = _parse(raw) if raw else {}
    try:
        return msgspec.convert(parsed, kind)
    except msgspec.ValidationError as error:
        raise UnacceptableError("bad-fields", f"{error}.") from error


def read_query(kind: type[Body]) -> Body:
    """The query string as a struct; raises as `read_json` does, `require_few_parameters` too."""
    require_few_parameters()
    given = request.args.to_dict(flat=False)
    if any(len(values) > 1 for values in given.values()):
        raise InvalidRequestError("malformed-query", "A parameter is given twice.")
    try:
        return msgspec.convert(
            {name: value for name, (value,) in given.items()}, kind, strict=False
        )
    except msgspec.ValidationError as error:
        raise UnacceptableError("bad-fields", f"{error}.") from error


def require_few_parameters() -> None:
    """Refuse a query string of many parameters before it is read; raises InvalidRequestError."""
    if request.query_string.count(b"&") >= QUERY_PARAMETERS_MAX:
        raise InvalidRequestError(
            "malformed-query", f"A query may have {QUERY_PARAMETERS_MAX} parameters."
        )


def idempotency_key() -> str:
    """The key under which the client may repeat this request; raises InvalidRequestError."""
    key = request.headers.get(IDEMPOTENCY_KEY, "")
    if not key:
        raise InvalidRequestError(
            "idempotency-key-missing", f"Send an {IDEMPOTENCY_KEY} header, fresh for each wish."
        )
    return checked_key(key)


def checked_key(key: str) -> str:
    """The key, if it is one: printable ASCII of bounded length; raises InvalidRequestError."""
    if len(key) > KEY_LENGTH_MAX or not re.fullmatch(KEY_PATTERN, key):
        raise InvalidRequestError(
            "idempotency-key-malformed", f"A key has 1 to {KEY_LENGTH_MAX} printable characters."
        )
    return key


def request_hash() -> bytes:
    """What must be equal in a repetition: method, path, query and body."""
    head = f"{request.method} {request.full_path}\n".encode()
    return hashlib.sha256(head + request.get_data()).digest()


def _parse(raw: bytes) -> Any:
    try:
        parsed = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("malformed-json", f"The body is not JSON: {error}.") from error
    _require_shallow(parsed)
    return parsed


def _require_shallow(parsed: Any) -> None:
    """Look at one level after the other; there are never more than the limit."""
    level = [parsed]
    for _ in range(JSON_DEPTH_MAX):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise InvalidRequestError(
        "malformed-json", f"The body may hold {JSON_DEPTH_MAX} levels of arrays and objects."
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")
