"""The OpenAPI 3.1 document, made from the routes: what they declare is what they enforce.

A copy lies in the repository (`openapi.json`), so that a change of the API shows in a review.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from flask import Flask

from ops_api.openapi.parts import (
    DESCRIPTION,
    ETAG,
    PARAMETERS,
    PATH_SCHEMAS,
    REFUSALS,
    SECURITY_SCHEMES,
    TAGS,
    conflict,
)
from ops_api.web.operations import Operation, operation_of
from ops_api.web.problems import Problem
from ops_api.web.requests import SAFE_METHODS, Nothing
from ops_api.web.rights import Rule, rule_of

COPY = Path(__file__).with_name("openapi.json")
REFERENCE = "#/components/schemas/{name}"

_PLACEHOLDER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")

Json = dict[str, Any]


def document(app: Flask) -> Json:
    """Every call of the API with all it takes and answers, in the order of its paths."""
    calls = sorted(_calls(app), key=lambda call: (call.path, call.method))
    schemas = _schemas(calls)
    paths: dict[str, Json] = {}
    for call in calls:
        paths.setdefault(call.path, {})[call.method] = _described(call, schemas)
    queries = {call.declared.query.__name__ for call in calls} - {Nothing.__name__}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "UberPopug task tracker",
            "version": "1",
            "summary": "Everything the tracker's pages can do.",
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "tags": TAGS,
        "paths": paths,
        "components": {
            "parameters": PARAMETERS,
            "responses": {str(status): refusal for status, refusal in REFUSALS.items()},
            "schemas": {name: each for name, each in schemas.items() if name not in queries},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def text_of(app: Flask) -> str:
    """The document as its copy holds it: one fact a line, ended by a line break."""
    return msgspec.json.format(msgspec.json.encode(document(app)), indent=2).decode() + "\n"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One method of one path."""

    path: str
    method: str
    tag: str
    view: Callable[..., object]
    declared: Operation
    rule: Rule
    placeholders: dict[str, str]

    @property
    def is_safe(self) -> bool:
        """Whether it only reads."""
        return self.method.upper() in SAFE_METHODS


def _calls(app: Flask) -> Iterator[Call]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        declared = operation_of(view)
        if declared is None:
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield Call(
                path=_PLACEHOLDER.sub(r"{\g<name>}", rule.rule),
                method=method.lower(),
                tag=rule.endpoint.partition(".")[0],
                view=view,
                declared=declared,
                rule=rule_of(view),
                placeholders={
                    found["name"]: found["kind"] or found["name"]
                    for found in _PLACEHOLDER.finditer(rule.rule)
                },
            )


def _schemas(calls: list[Call]) -> dict[str, Json]:
    """The schemas of every struct that a call takes or gives, by name."""
    kinds: list[Any] = [Problem]
    for call in calls:
        kinds += [call.declared.body, call.declared.query]
        kinds += [call.declared.answer] if call.declared.answer else []
    _, components = msgspec.json.schema_components(dict.fromkeys(kinds), ref_template=REFERENCE)
    return {name: _tidied(each) for name, each in sorted(components.items())}


def _tidied(schema: Json) -> Json:
    """Docstrings without the indentation of the code; names are titles enough."""
    tidied = {name: value for name, value in schema.items() if name != "title"}
    if "description" in tidied:
        tidied["description"] = inspect.cleandoc(tidied["description"])
    return tidied


def _described(call: Call, schemas: dict[str, Json]) -> Json:
    summary, _, more = inspect.cleandoc(call.view.__doc__ or "").partition("\n")
    described: Json = {
        "operationId": call.view.__name__,
        "tags": [call.tag],
        "summary": summary,
        "x-roles": sorted(call.rule.rights),
        "security": _security(call.rule),
        "parameters": [*_parameters(call, schemas)],
        "responses": _responses(call),
    }
    if more.strip():
        described["description"] = more.strip()
    if not call.is_safe:
        described["requestBody"] = _body(call.declared.body, schemas)
    return described


def _security(rule: Rule) -> list[Json]:
    if "anyone" in rule.rights:
        return []
    session: list[Json] = [{"session": []}] if rule.rights != {"service"} else []
    return session + ([{"token": [rule.scope]}] if rule.scope else [])


def _parameters(call: Call, schemas: dict[str, Json]) -> Iterator[Json]:
    for name, kind in call.placeholders.items():
        yield {"name": name, "in": "path", "required": True, "schema": PATH_SCHEMAS[kind]}
    query = schemas[call.declared.query.__name__]
    for name, schema in query["properties"].items():
        is_required = name in query["required"]
        yield {"name": name, "in": "query", "required": is_required, "schema": schema}
    if call.declared.is_keyed:
        yield {"$ref": "#/components/parameters/idempotency-key"}
    if call.is_safe:
        yield {"$ref": "#/components/parameters/if-none-match"}


def _body(kind: type[msgspec.Struct], schemas: dict[str, Json]) -> Json:
    schema = {"$ref": REFERENCE.format(name=kind.__name__)}
    is_required = bool(schemas[kind.__name__]["required"])
    return {"required": is_required, "content": {"application/json": {"schema": schema}}}


def _responses(call: Call) -> Json:
    """Every status the call may answer; the fuzzer finds one that is missing here."""
    declared = call.declared
    responses = {declared.status: _success(call)}
    if call.is_safe:
        responses[304] = {"description": "The answer is still the one of the ETag."}
    if declared.conflicts:
        responses[409] = conflict(declared.conflicts)
    for status in _refusals(call):
        responses[status] = {"$ref": f"#/components/responses/{status}"}
    return {str(status): responses[status] for status in sorted(responses)}


def _success(call: Call) -> Json:
    declared = call.declared
    if declared.answer is None:
        return {"description": "Done."}
    schema = {"$ref": REFERENCE.format(name=declared.answer.__name__)}
    success: Json = {
        "description": inspect.cleandoc(declared.answer.__doc__ or "").partition("\n")[0],
        "content": {"application/json": {"schema": schema}},
    }
    return success | ({"headers": ETAG} if call.is_safe else {})


def _refusals(call: Call) -> Iterator[int]:
    yield from (400, 422, 503)
    is_open = "anyone" in call.rule.rights
    if not call.is_safe:
        yield from (403, 413, 415)
    if not is_open:
        yield from (401, 403)
    if call.placeholders:
        yield 404
    yield from call.declared.refusals
