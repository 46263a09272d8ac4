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

    While work is in flight, what has arrived is compared; when all is settled, everything.
    """
    from warehouse.checks import verify

    with reach.lake_and_tracker(reach.enter_environment()) as connection:
        verification = verify(connection)
    for line in lines_of(verification):
        click.echo(line)
    if not verification.is_clean:
        raise SystemExit(1)


def lines_of(verification: "Verification") -> list[str]:
    """The report: how far was compared, a line for each check, and what they come to."""
    lines = [_headline(verification.scope)]
    for finding in verification.findings:
        lines += _lines_of(finding)
    count_failing = sum(finding.count_offending > 0 for finding in verification.findings)
    count = len(verification.findings)
    if count_failing:
        lines.append(f"{count_failing} of {count} checks failed")
    else:
        lines.append(f"all {count} checks hold")
    return lines


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
