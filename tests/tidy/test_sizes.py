"""Nothing grows past what one can hold in the head."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import name_of, parsed, python_files, text_files

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
FUNCTION_LINES_GOAL = 40
SQL_LINES_MAX = 120
# How many functions may miss the goal. A ratchet: lower it when you shorten one, never raise it.
FUNCTIONS_OVER_GOAL_MAX = 4


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """Each function and its own lines; those of functions inside it count for themselves."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, Function):
            inner = sum(lines_of(each) for each in node.body if isinstance(each, Function))
            yield f"{name_of(path)}:{node.lineno} {node.name}", lines_of(node) - inner


def lines_of(node: Function) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def functions_longer_than(lines_max: int) -> list[str]:
    return [
        f"{name} has {lines} lines"
        for path in python_files()
        for name, lines in functions_of(path)
        if lines > lines_max
    ]


def test_no_function_is_too_long() -> None:
    assert functions_longer_than(FUNCTION_LINES_MAX) == []


def test_functions_over_the_goal_only_get_fewer() -> None:
    assert len(functions_longer_than(FUNCTION_LINES_GOAL)) <= FUNCTIONS_OVER_GOAL_MAX, "\n".join(
        functions_longer_than(FUNCTION_LINES_GOAL)
    )


def test_no_file_is_too_long() -> None:
    limits = {".py": FILE_LINES_MAX, ".sql": SQL_LINES_MAX}
    sizes = {
        name_of(path): (len(path.read_text("utf-8").splitlines()), limits[path.suffix])
        for path in text_files()
        if path.suffix in limits
    }

    assert [
        f"{name} has {lines} lines" for name, (lines, top) in sizes.items() if lines > top
    ] == []
