"""`python -m tests.oracle LOG MAPPING EXPORTS --now TIME`: do the exports say what the log means?

EXPORTS is a folder with what `ates export` wrote: tasks.csv, employees.csv, postings.csv,
payouts.csv and balances.csv. TIME is the present as the import saw it.
"""

import argparse
import datetime as dt
import sys
from pathlib import Path

from tests.oracle.compare import differences, prices_of, read_csv
from tests.oracle.predict import predict

SHOWN_MAX = 20


def main() -> int:
    """Print every difference and a summary; 1 when there is a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("mapping", type=Path)
    parser.add_argument("exports", type=Path)
    parser.add_argument("--zone", default="UTC")
    parser.add_argument("--now", required=True, type=dt.datetime.fromisoformat)
    parser.add_argument("--shift-to-now", action="store_true")
    arguments = parser.parse_args()
    prediction = predict(
        arguments.log,
        arguments.mapping,
        prices_of(read_csv(arguments.exports / "tasks.csv")),
        zone=arguments.zone,
        now=arguments.now,
        shift_to_now=arguments.shift_to_now,
    )
    found = differences(prediction, arguments.exports)
    print(
        f"{len(prediction.tasks):,} tasks, "
        f"{sum(task.count_assignments for task in prediction.tasks.values()):,} assignments, "
        f"{len(prediction.closed_days):,} closed days, {len(prediction.payouts):,} payouts of "
        f"{sum(prediction.payouts.values()) / 100:,.2f}: {len(found):,} differences"
    )
    print("\n".join(found[:SHOWN_MAX]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
