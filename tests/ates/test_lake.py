"""Any DuckDB client opens the lake read only; the example notebook runs from top to bottom."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

from ates.cli import main
from ates.embedded.postgres import READER, PostgresServer
from ates.grants import grant_reads
from tests.warehouse.world import World
from warehouse.ingest import apply_missing
from warehouse.lake import connect
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings

NOTEBOOK = Path(__file__).parents[2] / "examples" / "analysis.ipynb"
SECONDS_PER_CELL = 120
# Another process, with nothing of ours but the printed text: what it reads, and what stops it.
CLIENT = """
import sys
import duckdb

client = duckdb.connect()
client.execute(sys.stdin.read())
print(client.execute("select count(*) from marts.earnings_decomposition").fetchone()[0])
try:
    client.execute("delete from ledger.postings")
except duckdb.Error as error:
    print(str(error).replace("\\n", " "))
"""


@pytest.fixture
def installation(
    lake_settings: LakeSettings,
    lake_environment: dict[str, str],
    database_url: str,
    postgres_server: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lake with forty days of business, and the environment that leads to it."""
    world = World(5)
    world.hire(4)
    world.live(days=40, steps=10)
    with connect(lake_settings) as lake:
        apply_missing(lake, world.log)
        pay_due_days(lake)
    catalog = lake_environment["LAKE_CATALOG_URL"]
    variables = {
        **lake_environment,
        "LAKE_READER_URL": postgres_server.url(catalog.rpartition("/")[2], READER),
        "DATABASE_URL": database_url,
        "DATABASE_READER_URL": database_url,
        "DAGSTER_DATABASE_URL": database_url,
        "ATES_HOME": str(tmp_path / "home"),
        "BUSINESS_TIMEZONE": "UTC",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    grant_reads(variables)


def run_client(opening: str) -> list[str]:
    """The lines that CLIENT prints after opening the lake like this."""
    command = [sys.executable, "-c", CLIENT]
    done = subprocess.run(command, input=opening, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.usefixtures("installation")
def test_a_plain_duckdb_client_reads_the_lake_and_cannot_write() -> None:
    printed = CliRunner().invoke(main, ["lake", "--offline"])
    assert printed.exit_code == 0, printed.output

    as_printed = run_client(printed.stdout)
    without_its_word = run_client(printed.stdout.replace("READ_ONLY, ", ""))

    assert int(as_printed[0]) > 30
    assert "read-only" in as_printed[1]
    # What keeps the lake from being written is the account, not the client's good will.
    assert without_its_word[0] == as_printed[0]
    assert "permission denied" in without_its_word[1]
    online = CliRunner().invoke(main, ["lake"]).stdout
    assert online.startswith("INSTALL ducklake; LOAD ducklake;\nINSTALL postgres")
    assert "READ_ONLY" in online


@pytest.mark.usefixtures("installation")
def test_the_notebook_runs_from_top_to_bottom() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    NotebookClient(notebook, timeout=SECONDS_PER_CELL, kernel_name="python3").execute()

    tables = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]
    assert len(tables) == 4
    assert all(cell.outputs[0].output_type == "execute_result" for cell in tables)
    assert "earnings_decomposition" in str(tables[0].outputs)
