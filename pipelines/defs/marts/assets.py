"""The analysts' marts: views, so a run writes them anew, counts their rows and tests every row."""

from collections.abc import Iterator

import dagster as dg

from contracts.environment import read_environment
from pipelines.graph import DATA_TEAM, TABLE_FRESHNESS
from warehouse.lake import connect, transaction
from warehouse.marts import Mart, check_mart, count_rows, create_marts, read_marts
from warehouse.settings import LakeSettings

CHECK = "every_row_keeps_the_rules"
PREVIEW_ROWS = 5


def _spec(mart: Mart) -> dg.AssetSpec:
    columns = [dg.TableColumn(name, description=words) for name, words in mart.columns.items()]
    return dg.AssetSpec(
        key=["marts", mart.name],
        group_name="marts",
        kinds={"duckdb", "view"},
        owners=DATA_TEAM,
        description=mart.description,
        deps=[dg.AssetKey(each.split(".")) for each in mart.sources],
        metadata={
            "dagster/table_name": f"marts.{mart.name}",
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "grain": ", ".join(mart.grain),
        },
        freshness_policy=TABLE_FRESHNESS,
    )


def _check(mart: Mart) -> dg.AssetCheckSpec:
    rules = ["a row is named by its grain", *mart.tests]
    return dg.AssetCheckSpec(CHECK, asset=["marts", mart.name], description="; ".join(rules) + ".")


@dg.multi_asset(
    name="analyst_marts",
    specs=[_spec(mart) for mart in read_marts()],
    check_specs=[_check(mart) for mart in read_marts()],
)
def analyst_marts() -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg] # dagster reads it
    """Write the views, then look at each."""
    with connect(read_environment(LakeSettings)) as lake:
        with transaction(lake):
            create_marts(lake)
        for mart in read_marts():
            findings = check_mart(lake, mart)
            preview = lake.execute(f"from lake.marts.{mart.name} limit {PREVIEW_ROWS}")
            key = dg.AssetKey(["marts", mart.name])
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "dagster/row_count": dg.MetadataValue.int(count_rows(lake, mart)),
                    "preview": dg.MetadataValue.md(_table(list(mart.columns), preview.fetchall())),
                },
                check_results=[
                    dg.AssetCheckResult(
                        asset_key=key,
                        check_name=CHECK,
                        passed=not any(each.count_offending for each in findings),
                        metadata={
                            each.test: dg.MetadataValue.int(each.count_offending)
                            for each in findings
                        },
                    )
                ],
            )


def _table(names: list[str], rows: list[tuple[object, ...]]) -> str:
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    """A value that cannot break out of its cell: titles are anybody's text."""
    text = "" if value is None else str(value)
    return text.translate({ord(sign): f"&#{ord(sign)};" for sign in "|<>[]()`*_!"})
