"""What a call of the API takes and gives, said once: the code obeys it, the document shows it.

    @blueprint.post("")
    @operation("employee", scope="tasks:write", answer=Task, status=201)
    def post_task(key: str, body: NewTask) -> Answer:

The view's own parameters say what it reads: `body` a JSON object, `query` the query string, `key`
the Idempotency-Key; everything else comes from the path. What is not asked for is refused.
"""

import functools
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, request

from ops_api.idempotency.commands import Answer
from ops_api.web.answers import answer_response, readable_response
from ops_api.web.requests import SAFE_METHODS, Nothing, idempotency_key, read_json, read_query
from ops_api.web.rights import Right, Scope, allow

View = Callable[..., msgspec.Struct | Answer | Response]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of the API; without `answer` it answers an empty body.

    `conflicts` are the slugs of the 409 it may answer, `refusals` the statuses it may answer beside
    those that every such call has; `is_keyed` says whether it wants a key.
    """

    body: type[msgspec.Struct]
    query: type[msgspec.Struct]
    is_keyed: bool
    answer: Any
    status: int
    conflicts: tuple[str, ...]
    refusals: tuple[int, ...]


def operation(
    *who: Right,
    scope: Scope | None,
    answer: Any,
    status: int = 200,
    conflicts: tuple[str, ...] = (),
    refusals: tuple[int, ...] = (),
) -> Callable[[View], Callable[..., Response]]:
    """Make a view a call of the API; place it under the route's own decorator."""

    def declare(view: View) -> Callable[..., Response]:
        hints = typing.get_type_hints(view)
        declared = Operation(
            body=hints.get("body", Nothing),
            query=hints.get("query", Nothing),
            is_keyed="key" in hints,
            answer=answer,
            status=status,
            conflicts=conflicts,
            refusals=refusals,
        )

        @functools.wraps(view)
        def handle(**given: Any) -> Response:
            return _response(view(**given, **_read(declared, hints)))

        handle.operation = declared  # type: ignore[attr-defined]
        return allow(*who, scope=scope)(handle)

    return declare


def operation_of(view: Callable[..., object] | None) -> Operation | None:
    """The declaration of a view, if it is a call of the API."""
    found: Operation | None = getattr(view, "operation", None)
    return found


def _read(declared: Operation, hints: dict[str, Any]) -> dict[str, Any]:
    """Everything the view asked for, and nothing it did not."""
    read: dict[str, Any] = {}
    if declared.is_keyed:
        read["key"] = idempotency_key()
    read["query"] = read_query(declared.query)
    if request.method not in SAFE_METHODS:
        read["body"] = read_json(declared.body)
    return {name: value for name, value in read.items() if name in hints}


def _response(result: msgspec.Struct | Answer | Response) -> Response:
    if isinstance(result, Response):
        return result
    return answer_response(result) if isinstance(result, Answer) else readable_response(result)
