"""The documents are short, whole, and speak of what exists."""

import re
from pathlib import Path

import click
import pytest

from ates.cli import main
from ates.variables import VARIABLES
from tests.tidy.tree import ROOT, documents, name_of

LINES_MAX = {"README.md": 90, "docs/architecture.md": 200, "contracts/README.md": 40}
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(?P<level>#+) (?P<text>.+)$", re.MULTILINE)
SETTING = re.compile(r"`([A-Z]+(?:_[A-Z]+)+)`")
DECISION_PARTS = ("## Context", "## Decision", "## Alternatives", "## Revisit when")


def prose(path: Path) -> str:
    """A document without its code blocks."""
    return FENCE.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """The names by which headings can be linked to."""
    headings = (match["text"].lower() for match in HEADING.finditer(prose(path)))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in headings}


def decisions() -> list[Path]:
    return [path for path in documents() if path.parent == ROOT / "docs" / "decisions"]


@pytest.mark.parametrize("name", LINES_MAX)
def test_document_is_short(name: str) -> None:
    assert len((ROOT / name).read_text("utf-8").splitlines()) <= LINES_MAX[name]


def test_every_document_has_one_title() -> None:
    titles = {
        name_of(path): [match["text"] for match in HEADING.finditer(prose(path))
                        if match["level"] == "#"]
        for path in documents()
    }  # fmt: skip

    assert {name: found for name, found in titles.items() if len(found) != 1} == {}


def test_no_link_is_dead() -> None:
    dead = []
    for path in documents():
        for match in LINK.finditer(prose(path)):
            target, _, anchor = match["target"].partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            page = (path.parent / target).resolve() if target else path
            if not page.exists() or (anchor and anchor not in anchors(page)):
                dead.append(f"{name_of(path)}: {match['target']}")

    assert dead == []


def test_every_command_is_documented() -> None:
    operations = (ROOT / "docs/operations.md").read_text("utf-8")
    context = click.Context(main)
    names = main.list_commands(context)

    assert names
    assert [name for name in names if f"`ates {name}" not in operations] == []


def test_documents_name_only_settings_that_exist() -> None:
    prefixes = {name.partition("_")[0] for name in VARIABLES}
    unknown = [
        f"{name_of(path)}: {name}"
        for path in documents()
        for name in SETTING.findall(prose(path))
        if name.partition("_")[0] in prefixes and name.removesuffix("_FILE") not in VARIABLES
    ]

    assert unknown == []


def test_every_make_target_has_its_line_of_help() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony is not None

    missing = [
        name for name in phony[1].split() if not re.search(rf"^{name}:.*## \S", text, re.MULTILINE)
    ]

    assert missing == []


def test_every_decision_names_its_alternatives_and_when_to_look_again() -> None:
    missing = [
        f"{name_of(path)}: {part}"
        for path in decisions()
        if path.name != "README.md"
        for part in DECISION_PARTS
        if part not in path.read_text("utf-8")
    ]

    assert decisions()
    assert missing == []


def test_every_decision_is_listed() -> None:
    listing = (ROOT / "docs/decisions/README.md").read_text("utf-8")

    assert [path.name for path in decisions() if f"({path.name})" not in listing
            and path.name != "README.md"] == []  # fmt: skip
