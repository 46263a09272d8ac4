"""Answers: JSON made by msgspec, and commands that are carried out once per Idempotency-Key."""

import hashlib
from collections.abc import Callable

import msgspec
from flask import Response, request
from sqlalchemy import Connection

from ops_api.auth.identity import actor_of
from ops_api.context import CommandContext
from ops_api.idempotency.commands import Answer, KeyedRequest, answer_once
from ops_api.planning import Planned
from ops_api.web.guard import caller
from ops_api.web.problems import MEDIA_TYPE, Problem
from ops_api.web.requests import request_hash
from ops_api.web.state import tracker

JSON_TYPE = "application/json"
ETAG_LENGTH = 32

Command = Callable[[Connection, CommandContext], object]


def json_response(value: object, status: int = 200) -> Response:
    """Any struct, list or dict of ours as JSON."""
    return Response(msgspec.json.encode(value), status, mimetype=JSON_TYPE)


def readable_response(value: object) -> Response:
    """What was read, under an ETag: who has it already (If-None-Match) gets 304 and no body."""
    response = json_response(value)
    digest = hashlib.sha256(response.get_data()).hexdigest()
    response.set_etag(digest[:ETAG_LENGTH])
    response.make_conditional(request)
    return response


def problem_response(found: Problem) -> Response:
    """A problem with the status it names."""
    return Response(msgspec.json.encode(found), found.status, mimetype=MEDIA_TYPE)


def answer_response(answer: Answer) -> Response:
    """A stored or fresh answer; a replayed one says so in a header."""
    is_problem = answer.status >= 400
    response = Response(
        answer.body, answer.status, mimetype=MEDIA_TYPE if is_problem else JSON_TYPE
    )
    if answer.is_replay:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def keyed_request(key: str) -> KeyedRequest:
    """The present request, under the key its sender chose."""
    return KeyedRequest(
        actor=actor_of(caller()),
        key=key,
        request_hash=request_hash(),
        received_at=tracker().clock(),
    )


def carry_out(key: str, command: Command, *, status: int = 200, is_cheap: bool = False) -> Answer:
    """Run a command for the caller, once per key; what it returns or plans is the JSON answer."""
    context = tracker().context(caller())

    def answer(result: object) -> Answer:
        return Answer(status=status, body=msgspec.json.encode(result).decode())

    def work(connection: Connection) -> Answer | Planned[Answer]:
        done = command(connection, context)
        if isinstance(done, Planned):
            return Planned(answer(done.result), done.statement, done.parameters)
        return answer(done)

    return answer_once(tracker().engine, keyed_request(key), work, is_cheap=is_cheap)
