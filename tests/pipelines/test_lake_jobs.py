"""The marts, the proof and the retry run in Dagster, and say what they found."""

import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import duckdb
import pytest
from sqlalchemy import Engine, text

from ops_api.database import create_engine
from pipelines.defs.marts.assets import analyst_marts
from pipelines.defs.quarantine.jobs import retry_quarantine
from pipelines.defs.rebuild.assets import rebuild_proof
from pipelines.ingest.healing import read_missing
from tests.ops_api.imports_world import run_import, write_log
from tests.warehouse.settled import LOG, move_everything
from warehouse.ingest import apply_missing
from warehouse.lake import connect
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings

BROKEN = "update event_log set body = body || 'x' where position = 20"
REPAIRED = "update event_log set body = left(body, -1) where position = 20"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def lake(
    engine: Engine, lake_settings: LakeSettings, lake_environment: dict[str, str], tmp_path: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A lake in which one event of the log could not be read."""
    run_import(engine, write_log(tmp_path, LOG))
    move_everything(engine)
    with engine.begin() as connection:
        connection.execute(text(BROKEN))
    url = engine.url.render_as_string(hide_password=False)
    with (
        patch.dict(os.environ, {**lake_environment, "DATABASE_URL": url}),
        connect(lake_settings) as lake,
    ):
        apply_missing(lake, read_missing(engine, 0, 10**6))
        yield lake


def proof(**config: object) -> dg.ExecuteInProcessResult:
    run_config = {"ops": {"ops__rebuild_proof": {"config": config}}}
    return dg.materialize([rebuild_proof], run_config=run_config)


def verdicts(result: dg.ExecuteInProcessResult) -> list[bool]:
    return [each.passed for each in result.get_asset_check_evaluations()]


def test_a_repaired_event_is_read_proven_and_counted(
    lake: duckdb.DuckDBPyConnection, engine: Engine
) -> None:
    still = retry_quarantine.execute_in_process()
    with engine.begin() as connection:
        connection.execute(text(REPAIRED))
    unlike = proof()
    read = retry_quarantine.execute_in_process()
    paid = pay_due_days(lake)

    for result, expected in ((still, (0, 1, 1)), (read, (1, 0, 0))):
        (event,) = result.asset_materializations_for_node("read_again")
        found = tuple(
            event.metadata[name].value for name in ("read_again", "still_broken", "waiting")
        )
        assert found == expected
    assert len(paid) > 10
    whole, week = proof(), proof(last_days=7)
    assert [verdicts(each) for each in (unlike, whole, week)] == [[False], [True], [True]]
    marts = dg.materialize([analyst_marts])
    assert verdicts(marts) == [True] * 5
    counts = [
        each.metadata["dagster/row_count"].value
        for each in marts.asset_materializations_for_node("analyst_marts")
    ]
    assert min(counts) > 0


@pytest.mark.usefixtures("lake")
def test_an_impossible_span_is_refused() -> None:
    for config in (
        {"first": "soon", "last": "later"},
        {"first": "2024-02-03", "last": "2024-02-01"},
    ):
        with pytest.raises(dg.Failure):
            proof(**config)
