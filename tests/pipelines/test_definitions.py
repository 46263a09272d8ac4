"""What Dagster shows and runs: an accidental rename fails, and so does a sensor that starts off."""

import warnings
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from pipelines.definitions import definitions
from pipelines.defs.mail.assets import DELIVERIES
from pipelines.expectations import EXPECTATIONS
from warehouse.catalog import read_tables
from warehouse.checks import read_checks

NAMES = Path(__file__).with_name("definitions.txt")
FILLED_BY_THE_RELAY = "the relay fills it without Dagster; `relay_behind` is the incident"
A_PAGE = "a page holds no data; it reads what is there"
WITHOUT_FRESHNESS = {
    "tracker/event_log": FILLED_BY_THE_RELAY,
    "kafka/employees": FILLED_BY_THE_RELAY,
    "kafka/tasks": FILLED_BY_THE_RELAY,
    "kafka/business_days": FILLED_BY_THE_RELAY,
    "ops/lake_upkeep": "nothing is to be done while nothing arrives",
    "dashboards/account": A_PAGE,
    "dashboards/company": A_PAGE,
    "dashboards/analytics": A_PAGE,
    "dashboards/operations": A_PAGE,
}
WITHOUT_COLUMNS = {
    "tracker/event_log": "the tracker's, which may change them",
    "tracker/business_days": "the tracker's, which may change them",
}
COLUMNS_OF_DELIVERIES = """
select
    attname,
    replace(format_type(atttypid, null), 'timestamp with time zone', 'timestamptz'),
    not attnotnull
from pg_attribute
where attrelid = 'mail.deliveries'::regclass and attnum > 0
order by attnum
"""


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    """Everything, loaded as Dagster loads it, with any warning an error."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        patch.setenv("BUSINESS_TIMEZONE", "Asia/Tbilisi")
        patch.setenv("TRACKER_URL", "http://127.0.0.1:1")
        patch.setenv("OIDC_PIPELINES_SECRET", "a-secret-of-tests")
        loaded = definitions()
        dg.Definitions.validate_loadable(loaded)
        return loaded.get_repository_def()


def names_of(repository: dg.RepositoryDefinition) -> list[str]:
    """A line a definition: what it is, its name, and for a schedule when."""
    graph = repository.asset_graph
    return sorted(
        [
            *(f"asset {key.to_user_string()}" for key in graph.get_all_asset_keys()),
            *(
                f"check {key.asset_key.to_user_string()} {key.name}"
                for key in graph.asset_check_keys
            ),
            *(f"job {name}" for name in repository.job_names if not name.startswith("__")),
            *(f"schedule {one.name} at {one.cron_schedule}" for one in repository.schedule_defs),
            *(f"sensor {one.name}" for one in repository.sensor_defs),
        ]
    )


def test_the_names_are_the_agreed_ones(repository: dg.RepositoryDefinition) -> None:
    """After a wanted change copy what this prints into definitions.txt."""
    found = "\n".join(names_of(repository)) + "\n"

    assert found == NAMES.read_text(encoding="utf-8"), found


def test_every_sensor_and_schedule_runs_without_anybody_switching_it_on(
    repository: dg.RepositoryDefinition,
) -> None:
    assert {one.default_status for one in repository.sensor_defs} == {
        dg.DefaultSensorStatus.RUNNING
    }
    assert {one.default_status for one in repository.schedule_defs} == {
        dg.DefaultScheduleStatus.RUNNING
    }
    assert {one.execution_timezone for one in repository.schedule_defs} == {"Asia/Tbilisi"}


def test_every_asset_has_two_names_an_owner_a_group_a_kind_and_a_description(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    for key in graph.get_all_asset_keys():
        spec = graph.get(key).to_asset_spec()
        assert len(key.path) == 2, key
        assert spec.group_name == key.path[0], key
        assert spec.owners, key
        assert spec.kinds, key
        assert spec.description, key


def test_every_asset_is_fresh_by_a_rule_and_every_table_shows_its_columns(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    specs = [graph.get(key).to_asset_spec() for key in graph.get_all_asset_keys()]

    timeless = {each.key.to_user_string() for each in specs if each.freshness_policy is None}
    bare = {
        each.key.to_user_string()
        for each in specs
        if each.kinds & {"table", "view"} or "dagster/table_name" in each.metadata
        if "dagster/column_schema" not in each.metadata
    }

    assert timeless == set(WITHOUT_FRESHNESS)
    assert bare == set(WITHOUT_COLUMNS)


def test_the_columns_of_deliveries_are_those_of_the_database(
    repository: dg.RepositoryDefinition, mail_engine: Engine
) -> None:
    columns = repository.asset_graph.get(DELIVERIES).metadata["dagster/column_schema"].columns

    with mail_engine.connect() as connection:
        rows = connection.execute(text(COLUMNS_OF_DELIVERIES)).all()

    assert [(each.name, each.type, each.constraints.nullable) for each in columns] == [
        tuple(row) for row in rows
    ]


def test_every_table_of_the_lake_is_an_asset_with_its_columns_and_a_place_in_the_graph(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    for name, table in read_tables().items():
        node = graph.get(dg.AssetKey(name.split(".")))
        schema = node.metadata["dagster/column_schema"]
        assert [each.name for each in schema.columns] == [each.name for each in table.columns], name
        assert node.parent_keys, f"{name} is filled from nothing: see pipelines/graph.py"
        assert node.freshness_policy_or_from_metadata is not None, name


def test_every_column_that_is_shown_is_described(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    schemas = {
        key: graph.get(key).metadata["dagster/column_schema"]
        for key in graph.get_all_asset_keys()
        if "dagster/column_schema" in graph.get(key).metadata
    }

    unsaid = [
        f"{key.to_user_string()}.{column.name}"
        for key, schema in schemas.items()
        for column in schema.columns
        if not column.description
    ]

    assert len(schemas) > len(read_tables())
    assert not unsaid


def test_a_dashboard_comes_from_the_topics_and_those_from_the_tracker(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    pages = [key for key in graph.get_all_asset_keys() if key.path[0] == "dashboards"]
    assert pages
    for page in pages:
        above = {page}
        while parents := {p for key in above for p in graph.get(key).parent_keys} - above:
            above |= parents
        assert {dg.AssetKey(["kafka", "tasks"]), dg.AssetKey(["tracker", "event_log"])} < above


def test_every_invariant_and_expectation_is_a_check_that_says_what_it_means(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    specs = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}

    stated = {each.name: (each.asset, each.statement) for each in read_checks()}
    stated |= {name: (each.asset, each.statement) for name, each in EXPECTATIONS.items()}
    for name, (asset, statement) in stated.items():
        assert specs[name].asset_key == dg.AssetKey(asset.split(".")), name
        assert specs[name].description == statement
        assert specs[name].asset_key in graph.get_all_asset_keys()
    assert {"certificate_agrees", "rebuilt_lake_is_identical"} <= specs.keys() - stated.keys()


def test_only_the_certificate_blocks(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}

    assert blocking == {"certificate_agrees"}


def test_payouts_may_cover_many_days_in_one_run(repository: dg.RepositoryDefinition) -> None:
    node = repository.asset_graph.get(dg.AssetKey(["ledger", "payouts"]))

    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert node.partitions_def is not None
    assert node.partitions_def.name == "business_date"  # type: ignore[attr-defined]
