"""Everything public says what a caller may rely on."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import PACKAGES, name_of, parsed, python_files

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public_things(path: Path) -> Iterator[tuple[str, Documented]]:
    """The module, its public functions and classes, and their public methods."""
    yield "the module", parsed(path)
    for node in parsed(path).body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_methods(node)


def public_methods(node: ast.ClassDef) -> Iterator[tuple[str, Documented]]:
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            is_setter = any(isinstance(each, ast.Attribute) for each in inner.decorator_list)
            if not inner.name.startswith("_") and not is_setter:
                yield f"{node.name}.{inner.name}", inner


def is_empty_package(path: Path) -> bool:
    return path.name == "__init__.py" and not parsed(path).body


def test_every_public_thing_has_a_docstring() -> None:
    missing = [
        f"{name_of(path)}: {name}"
        for path in python_files(*PACKAGES)
        if not is_empty_package(path)
        for name, node in public_things(path)
        if ast.get_docstring(node) is None
    ]

    assert missing == []
