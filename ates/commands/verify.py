"""`ates verify`: does everything agree, from the tracker's tables to the mails?"""

from typing import TYPE_CHECKING, Any

import click

from ates import reach

if TYPE_CHECKING:
    from warehouse.checks import Finding, Scope, Verification

NAME_WIDTH = 38


@click.command("verify")
def command() -> None:
    """Check every invariant and print a line for each; exit 1 if one does not hold.

    While work is in flight, what has arrived is compared; when all is settled, everything. The
    results are kept in the lake, where the page Operations shows them.
    """
    from warehouse.checks import verify
    from warehouse.results import keep_results

    environment = reach.enter_environment()
    with reach.lake_and_tracker(environment) as connection:
        verification = verify(connection)
    with reach.lake_to_write(environment) as connection:
        keep_results(connection, verification.findings, checked_by="verify")
    for line in lines_of(verification):
        click.echo(line)
    if not verification.is_clean:
        raise SystemExit(1)


def lines_of(verification: "Verification") -> list[str]:
    """The whole report: how far was compared, a line for each check, and what they come to."""
    findings = [line for finding in verification.findings for line in _lines_of(finding)]
    return [_headline(verification.scope), *findings, _conclusion(verification)]


def failing_lines(verification: "Verification") -> list[str]:
    """The same without the checks that hold."""
    failing = [finding for finding in verification.findings if finding.count_offending]
    findings = [line for finding in failing for line in _lines_of(finding)]
    return [_headline(verification.scope), *findings, _conclusion(verification)]


def _conclusion(verification: "Verification") -> str:
    count = len(verification.findings)
    count_failing = sum(finding.count_offending > 0 for finding in verification.findings)
    if count_failing:
        return f"{count_failing} of {count} checks failed"
    return f"all {count} checks hold"


def _headline(scope: "Scope") -> str:
    if scope.is_settled:
        return f"Everything is settled and compared in full: {scope.head:,} events."
    return (
        f"Work is in flight: compared up to position {scope.through:,} of {scope.head:,} "
        f"({scope.count_waiting:,} more wait in the outbox), payouts through "
        f"{scope.paid_through} of {scope.closed_through}, mail through {scope.planned_through}."
    )


def _lines_of(finding: "Finding") -> list[str]:
    name = finding.name.replace("_", " ")
    if finding.count_offending == 0:
        return [f"ok    {name:<{NAME_WIDTH}} {finding.statement}"]
    return [
        f"FAIL  {name:<{NAME_WIDTH}} {finding.statement}",
        f"      {finding.count_offending:,} offending, for instance:",
        *(f"      {_sample(sample)}" for sample in finding.samples),
    ]


def _sample(sample: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sample.items())
