"""The project's own files, as git knows them: what every tidy test walks over."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("contracts", "ops_api", "pipelines", "warehouse", "dashboards", "ates")
# Copied whole from their makers; their style is their own.
VENDORED = ("tests/data/compose-spec.json", "/static/vendor/", "tests/vendor/")
TEXT_SUFFIXES = {
    "", ".cfg", ".css", ".html", ".ini", ".js", ".json", ".mako", ".md", ".py", ".sh", ".sql",
    ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that is committed or about to be, as absolute paths."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    paths = (ROOT / name for name in listing.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def name_of(path: Path) -> str:
    """The path from the project's root, with slashes."""
    return path.relative_to(ROOT).as_posix()


def text_files() -> Iterator[Path]:
    """Files that people write and read; lock files and vendored ones are not among them."""
    for path in tracked_files():
        if path.suffix in TEXT_SUFFIXES and not any(part in name_of(path) for part in VENDORED):
            yield path


def python_files(*folders: str) -> list[Path]:
    """Python files under these top-level folders, or all of them."""
    return [
        path
        for path in text_files()
        if path.suffix == ".py" and (not folders or path.relative_to(ROOT).parts[0] in folders)
    ]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text("utf-8"), filename=name_of(path))


def documents() -> list[Path]:
    """Every page of documentation."""
    return [path for path in text_files() if path.suffix == ".md"]
