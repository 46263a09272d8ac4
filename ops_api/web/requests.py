"""Reading requests: strict, with limits, and with a reason for every refusal."""

import hashlib
import json
from typing import Any, TypeVar

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from ops_api.errors import InvalidRequestError, RuleViolation, UnacceptableError

BODY_BYTES_MAX = 64 * 1024
KEY_LENGTH_MAX = 200
IDEMPOTENCY_KEY = "Idempotency-Key"

Body = TypeVar("Body", bound=msgspec.Struct)


class WrongMediaTypeError(RuleViolation):
    """The body is in a format that we do not read here."""

    status = 415
    title = "Unsupported media type"


class NoBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For calls that need no body: an empty one or an empty object."""


def read_json(kind: type[Body]) -> Body:
    """The request's JSON object as a struct.

    Raises InvalidRequestError for what is not JSON (or says a thing twice), UnacceptableError for
    unknown fields, wrong types and missing fields.
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
    """The query string as a struct; raises UnacceptableError as `read_json` does."""
    given = request.args.to_dict(flat=False)
    try:
        return msgspec.convert(
            {name: values[-1] for name, values in given.items()}, kind, strict=False
        )
    except msgspec.ValidationError as error:
        raise UnacceptableError("bad-fields", f"{error}.") from error


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
    if not 1 <= len(key) <= KEY_LENGTH_MAX or not (key.isascii() and key.isprintable()):
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
        return json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("malformed-json", f"The body is not JSON: {error}.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")
