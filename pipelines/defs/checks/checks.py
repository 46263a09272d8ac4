"""Every invariant of `ates verify` and what else is expected, as checks of their assets.

The definitions are `warehouse/checks/*.sql` and `pipelines.expectations`; sensors evaluate them
without a run, and a person may execute any of them. The one check that blocks, and only where
money moves, is the payouts' own: `certificate_agrees`.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

import dagster as dg

from contracts.environment import read_environment
from pipelines.expectations import EXPECTATIONS, Outcome
from pipelines.graph import asset_key
from pipelines.settings import BusinessSettings, IngestSettings
from pipelines.standing import read_outcomes
from pipelines.verification import look_around
from warehouse.checks import Finding, read_checks
from warehouse.settings import LakeSettings

INVARIANTS = {check.name: check for check in read_checks()}
WINDOW_INVARIANTS = [check for check in INVARIANTS.values() if check.is_for_each_window]


def evaluation_of_finding(finding: Finding) -> dg.AssetCheckEvaluation:
    """What an invariant's query found, as Dagster keeps it."""
    metadata: dict[str, dg.MetadataValue] = {
        "offending_rows": dg.MetadataValue.int(finding.count_offending)
    }
    if finding.samples:
        names = list(finding.samples[0])
        rows = [[str(sample[name]) for name in names] for sample in finding.samples]
        metadata["for_instance"] = dg.MetadataValue.md(markdown_table(names, rows))
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(INVARIANTS[finding.name].asset),
        check_name=finding.name,
        passed=finding.count_offending == 0,
        description=finding.statement,
        metadata=metadata,
    )


def evaluation_of_outcome(outcome: Outcome) -> dg.AssetCheckEvaluation:
    """What became of an expectation, as Dagster keeps it."""
    expectation = EXPECTATIONS[outcome.name]
    severity = dg.AssetCheckSeverity.WARN if expectation.is_warning else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(expectation.asset),
        check_name=outcome.name,
        passed=outcome.is_met,
        severity=severity,
        description=outcome.sentence,
        metadata=dict(outcome.figures),
    )


def markdown_table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table for people; cells are shown as text."""
    lines = [list(names)]
    lines += [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    drawn = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([drawn[0], "|" + " --- |" * len(lines[0]), *drawn[1:]])


def _specs() -> list[dg.AssetCheckSpec]:
    stated = [(each.name, each.asset, each.statement) for each in INVARIANTS.values()]
    stated += [(each.name, each.asset, each.statement) for each in EXPECTATIONS.values()]
    return [
        dg.AssetCheckSpec(name, asset=asset_key(asset), description=statement)
        for name, asset, statement in stated
    ]


@dg.multi_asset_check(
    name="verify_lake",
    specs=_specs(),
    can_subset=True,
    description="Executes the chosen checks now, in a run.",
)
def verify_lake(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Any of the checks, at one snapshot."""
    lake = read_environment(LakeSettings)
    tracker = read_environment(IngestSettings).database_url
    names = {key.name for key in context.selected_asset_check_keys}
    if invariants := [check for name, check in INVARIANTS.items() if name in names]:
        for finding in look_around(lake, tracker, invariants).findings:
            yield _result(evaluation_of_finding(finding))
    if names & EXPECTATIONS.keys():
        zone = read_environment(BusinessSettings).zone
        for outcome in read_outcomes(lake, tracker, zone, dt.datetime.now(dt.UTC)):
            if outcome.name in names:
                yield _result(evaluation_of_outcome(outcome))


def _result(evaluation: dg.AssetCheckEvaluation) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=evaluation.asset_key,
        check_name=evaluation.check_name,
        passed=evaluation.passed,
        severity=evaluation.severity,
        description=evaluation.description,
        metadata=evaluation.metadata,
    )
