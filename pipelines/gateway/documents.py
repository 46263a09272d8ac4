"""What a GraphQL request would do: viewers send only what we can read and what only reads.

What is passed on for a viewer is written anew from what was understood here, so that Dagster cannot
read it otherwise (a field that is there twice, another encoding).
"""

import functools
import itertools
import json
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, parse

DOCUMENT_LENGTH_MAX = 100_000
# Parsing recurses: brackets within brackets must not exhaust the stack.
DEPTH_MAX = 60
TOKENS_MAX = 20_000
DOCUMENTS_KEPT = 128  # pages send the same few again and again
REQUEST_FIELDS = ("query", "variables", "operationName", "operation_name")
# Of the web socket's protocol, what a client may say besides starting an operation.
HARMLESS_MESSAGES = ("connection_init", "connection_terminate", "stop")


class NotForViewersError(Exception):
    """The request is not certain to be one that only reads."""


def reading_body(body: bytes) -> bytes:
    """The body of a POST, written anew; raises NotForViewersError."""
    return json.dumps(_reading(_parsed(body))).encode()


def reading_message(text: str) -> str:
    """A message to the web socket, written anew; raises NotForViewersError."""
    message = _parsed(text)
    kind, operation_id = message.get("type"), message.get("id")
    if kind in HARMLESS_MESSAGES:
        return json.dumps({"type": kind, "id": operation_id})
    if kind != "start":
        raise NotForViewersError("an unknown kind of message")
    payload = _reading(message.get("payload"))
    return json.dumps({"type": kind, "id": operation_id, "payload": payload})


def mutations(body: bytes) -> str | None:
    """The names of the mutations in a body, for the log; None when none can be read."""
    if b"mutation" not in body:
        return None
    try:
        found = _operations(_parsed(body).get("query"))
    except NotForViewersError:
        return None
    return ",".join(name for kind, name in found if kind == "mutation") or None


def _parsed(text: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotForViewersError("not JSON") from error
    if not isinstance(found, dict):
        raise NotForViewersError("not a JSON object")
    return found


def _reading(request: object) -> dict[str, Any]:
    if not isinstance(request, dict):
        raise NotForViewersError("no operation")
    for kind, name in _operations(request.get("query")):
        if kind == "mutation":
            raise NotForViewersError(f"the mutation {name}")
    return {name: request[name] for name in REQUEST_FIELDS if name in request}


def _operations(document: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(document, str) or len(document) > DOCUMENT_LENGTH_MAX:
        raise NotForViewersError("no GraphQL document, or too long a one")
    try:
        return _operations_of(document)
    except GraphQLError as error:
        raise NotForViewersError("a GraphQL document that cannot be read") from error


@functools.lru_cache(DOCUMENTS_KEPT)
def _operations_of(document: str) -> tuple[tuple[str, str], ...]:
    """Kind and name of every operation, whichever of them is meant to run."""
    if _depth(document) > DEPTH_MAX:
        raise NotForViewersError("too deep a GraphQL document")
    return tuple(
        (node.operation.value, node.name.value if node.name else "without a name")
        for node in parse(document, no_location=True, max_tokens=TOKENS_MAX).definitions
        if isinstance(node, OperationDefinitionNode)
    )


def _depth(document: str) -> int:
    """How deep its brackets stand in one another; those within texts count, too."""
    steps = (1 if sign in "{[(" else -1 for sign in document if sign in "{[()]}")
    return max(itertools.accumulate(steps), default=0)
