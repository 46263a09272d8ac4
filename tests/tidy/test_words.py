"""Words and addresses that have no place in committed files."""

import re
from pathlib import Path

import pytest

from tests.tidy.tree import PACKAGES, name_of, python_files, text_files, tracked_files

THIS_FILE = "tests/tidy/test_words.py"
# Left-overs, and words the glossary replaces (docs/glossary.md).
BANNED_WORDS = {
    r"\b(TODO|FIXME|XXX|HACK)\b": "finish it or open an issue",
    r"\b(amt|mgr|usr|pwd)_|_(amt|mgr|usr|pwd)\b": "write the word out",
    r"\bpopugs?\b(?!-)": "an employee, in code",
    r"\bshuffle_tasks\b": "reassign",
}
BANNED_FILES = re.compile(r"(^|/)(utils?|helpers?|common|misc)(/|\.py$)")
# Places that exist on one machine only, and addresses of package registries: a clone must work
# wherever its owner gets packages from.
MACHINE_PATHS = re.compile(
    r"(?<![\w.$}/])/(?:work|root|home|Users|mnt|tmp)/\w|\bC:\\|/tmp/team|\.pyenv\b"
)  # fmt: skip
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted|maven\.org|repo\.maven|npmjs|docker\.io|ghcr\.io|quay\.io"
    r"|(?<!no-emit-)index-url|find-links|trusted-host|artifactory|googleapis|jsdelivr|unpkg|cdnjs"
)
FLOAT_MONEY = re.compile(r"_cents\s*(?::\s*float|=\s*[\d.]*\d\.\d)|float\([^)]*_cents\)")


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{name_of(path)}:{number}: {line.strip()[:100]}"
        for path in paths
        if name_of(path) != THIS_FILE
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("word", BANNED_WORDS)
def test_banned_word_is_not_used_in_code(word: str) -> None:
    assert lines_with(re.compile(word), python_files()) == [], BANNED_WORDS[word]


def test_no_file_is_a_drawer_for_everything() -> None:
    assert [name_of(path) for path in tracked_files() if BANNED_FILES.search(name_of(path))] == []


def test_no_path_of_one_machine_is_written_down() -> None:
    assert lines_with(MACHINE_PATHS, list(text_files())) == []


def test_no_registry_is_named() -> None:
    locks = [path for path in tracked_files() if path.suffix in {".lock", ".in"}]

    assert lines_with(REGISTRIES, [*text_files(), *locks]) == []


def test_money_is_never_a_float() -> None:
    assert lines_with(FLOAT_MONEY, python_files(*PACKAGES)) == []
