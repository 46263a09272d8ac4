"""The published face of the events: one JSON Schema and one example a version, as files.

Invariant: a schema file, once committed, never changes its meaning. `export` adds what is missing
and refreshes descriptions; it never rewrites a rule, and `differences` names every deviation.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from contracts.envelope import Envelope
from contracts.registry import DATA_TYPES, dataschema_of

CONTRACTS_FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_path(event_type: str, version: int, folder: Path = CONTRACTS_FOLDER) -> Path:
    """Where a version's JSON Schema lies."""
    return folder / "schemas" / event_type / f"{version}.json"


def example_path(event_type: str, version: int, folder: Path = CONTRACTS_FOLDER) -> Path:
    """Where a version's example, one whole event, lies."""
    return folder / "examples" / event_type / f"{version}.json"


def schema_of(event_type: str, version: int) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a whole event of one version: envelope and data."""
    data_type = DATA_TYPES[event_type, version]
    _, parts = msgspec.json.schema_components([Envelope, data_type], ref_template="#/$defs/{name}")
    envelope = parts.pop("Envelope")
    envelope["properties"] |= {
        "type": {"const": event_type},
        "dataschema": {"const": dataschema_of(event_type, version)},
        "data": {"$ref": f"#/$defs/{data_type.__name__}"},
    }
    head = {"$schema": DIALECT, "$id": f"urn:ates:{event_type}:{version}"}
    return {**head, **envelope, "title": f"{event_type} v{version}", "$defs": parts}


def export(folder: Path = CONTRACTS_FOLDER) -> list[Path]:
    """Write the schemas that are not published yet; returns the files written.

    A published one is rewritten only when nothing but descriptions differs.
    """
    written = []
    for event_type, version in DATA_TYPES:
        path = schema_path(event_type, version, folder)
        text = _text(schema_of(event_type, version))
        if path.exists() and (path.read_text("utf-8") == text or _changes(path, text)):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def differences(folder: Path = CONTRACTS_FOLDER) -> list[str]:
    """What keeps the published files from being true, one sentence each; empty when all is well."""
    found = []
    for event_type, version in DATA_TYPES:
        name = dataschema_of(event_type, version)
        path = schema_path(event_type, version, folder)
        if not path.exists():
            found.append(f"{name}: no schema is published; run `ates contracts export`")
        else:
            changes = _changes(path, _text(schema_of(event_type, version)))
            found += [f"{name}: {change}" for change in changes]
        if not example_path(event_type, version, folder).exists():
            found.append(f"{name}: it has no example in contracts/examples")
    known = {dataschema_of(*key) for key in DATA_TYPES}
    for path in sorted((folder / "schemas").glob("*/*.json")):
        if (name := f"{path.parent.name}/{path.stem}") not in known:
            found.append(f"{name}: it was published, but no such version exists in the code")
    return found


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _changes(path: Path, text: str) -> list[str]:
    published = _rules(json.loads(path.read_text("utf-8")))
    ours = _rules(json.loads(text))
    lines = []
    for place in sorted(published.keys() | ours.keys()):
        before, now = published.get(place, "nothing"), ours.get(place, "nothing")
        if before != now:
            lines.append(f"{place} was {before}, is now {now}")
    return lines


def _rules(node: Any, place: str = "$") -> dict[str, str]:
    """Every leaf of a schema by its place; descriptions are no rules and are left out."""
    if isinstance(node, dict) and node:
        children = [(f"{place}.{key}", value) for key, value in node.items()]
    elif isinstance(node, list) and node:
        children = [(f"{place}[{index}]", value) for index, value in enumerate(node)]
    else:
        return {place: json.dumps(node)}
    leaves: dict[str, str] = {}
    for child, value in children:
        if not (child.endswith(".description") and isinstance(value, str)):
            leaves |= _rules(value, child)
    return leaves
