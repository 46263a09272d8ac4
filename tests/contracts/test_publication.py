"""A published schema never changes its meaning, and nothing is published half."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ates.commands.contracts import command
from contracts import publication
from contracts.publication import CONTRACTS_FOLDER, differences, export, schema_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the published files that a test may spoil."""
    for name in ("schemas", "examples"):
        shutil.copytree(CONTRACTS_FOLDER / name, tmp_path / name)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_published_files_agree_with_the_code() -> None:
    assert differences() == []


def test_changed_limit_of_a_published_schema_is_named(folder: Path) -> None:
    change(schema_path("task.assigned", 1, folder), '"maximum": 2000', '"maximum": 2500')

    assert differences(folder) == [
        "task.assigned/1: $.$defs.TaskAssignedV1.properties.fee_cents.maximum was 2500, is now 2000"
    ]


def test_field_gone_from_the_code_is_named(folder: Path) -> None:
    path = schema_path("task.completed", 1, folder)
    schema = json.loads(path.read_text("utf-8"))
    schema["$defs"]["TaskCompletedV1"]["properties"]["tip_cents"] = {"type": "integer"}
    path.write_text(json.dumps(schema), "utf-8")

    [line] = differences(folder)

    assert line.startswith("task.completed/1")
    assert line.endswith('tip_cents.type was "integer", is now nothing')


def test_missing_schema_and_missing_example_are_named(folder: Path) -> None:
    schema_path("task.created", 1, folder).unlink()
    publication.example_path("task.created", 2, folder).unlink()

    assert [line.partition(":")[0] for line in differences(folder)] == [
        "task.created/1",
        "task.created/2",
    ]


def test_schema_without_code_is_named(folder: Path) -> None:
    shutil.copy(schema_path("task.created", 2, folder), schema_path("task.created", 3, folder))

    assert differences(folder) == [
        "task.created/3: it was published, but no such version exists in the code"
    ]


def test_export_adds_what_is_missing_and_is_then_silent(folder: Path) -> None:
    path = schema_path("task.created", 2, folder)
    before = path.read_bytes()
    path.unlink()

    assert export(folder) == [path]
    assert path.read_bytes() == before
    assert export(folder) == []


def test_export_never_rewrites_a_published_rule(folder: Path) -> None:
    path = schema_path("task.created", 2, folder)
    change(path, '"maximum": 4000', '"maximum": 9000')
    before = path.read_bytes()

    assert export(folder) == []
    assert path.read_bytes() == before
    assert differences(folder)


def test_export_refreshes_a_description(folder: Path) -> None:
    path = schema_path("task.created", 2, folder)
    before = path.read_bytes()
    change(path, "the Jira id stands apart", "the Jira id is elsewhere")

    assert differences(folder) == []
    assert export(folder) == [path]
    assert path.read_bytes() == before


def test_check_command_fails_and_says_what_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CliRunner().invoke(command, ["check"]).exit_code == 0

    change(schema_path("task.assigned", 1, folder), '"minimum": 1000', '"minimum": 1')
    monkeypatch.setattr(publication, "differences", lambda: differences(folder))
    result = CliRunner().invoke(command, ["check"])

    assert result.exit_code == 1
    assert "fee_cents.minimum was 1, is now 1000" in result.output
