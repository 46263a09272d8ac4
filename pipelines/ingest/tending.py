"""When the ingest loop looks after the lake: between two batches, but not as a window ends.

Then events wait for the next window anyhow, and a round of upkeep would be added to their wait.
"""

import duckdb

from warehouse.upkeep import UpkeepReport, is_due, is_round, tend


class Tending:
    """What is due and not done yet, also from one window to the next."""

    def __init__(self) -> None:
        """Nothing is due."""
        self._due_epoch: int | None = None

    def note(self, epoch: int) -> None:
        """A batch was committed with this epoch; a round that is due is not lost to a sweep."""
        is_round_due = self._due_epoch is not None and is_round(self._due_epoch)
        if is_due(epoch) and not is_round_due:
            self._due_epoch = epoch

    def work(self, lake: duckdb.DuckDBPyConnection) -> list[UpkeepReport]:
        """Do what is due; what was done."""
        if self._due_epoch is None:
            return []
        epoch, self._due_epoch = self._due_epoch, None
        return [tend(lake, epoch)]
