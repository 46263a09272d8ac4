"""One round of archiving: what earlier rounds copied leaves the log, what is old enough is copied.

In this order, so that between a day's copy and its removal a whole round has passed, and the copy
was read back by another process. Killed anywhere, the next round goes on.
"""

import datetime as dt
from dataclasses import dataclass

from contracts.environment import read_environment
from pipelines.days.client import remove_archived
from pipelines.settings import ArchiveSettings, TrackerSettings
from warehouse.archive import ArchivedDay, copy_due_days, prove_copies
from warehouse.lake import connect
from warehouse.settings import LakeSettings
from warehouse.tracker import attach_tracker


@dataclass(frozen=True)
class ArchiveRound:
    """What one round did: days whose events left the log, their rows, and days that were copied."""

    removed: list[ArchivedDay]
    count_removed: int
    copied: list[ArchivedDay]

    @property
    def count_copied(self) -> int:
        """Rows that were copied."""
        return sum(each.count_events for each in self.copied)


def archive_round(now: dt.datetime) -> ArchiveRound | None:
    """Do a round by the settings of the environment; None when they keep the log for ever.

    Raises ArchiveError, RivalError, TrackerError and LakeUnavailableError.
    """
    settings = read_environment(ArchiveSettings)
    if settings.event_log_kept_days is None:
        return None
    today = now.astimezone(settings.zone).date()
    through = today - dt.timedelta(days=settings.event_log_kept_days + 1)
    with connect(read_environment(LakeSettings)) as lake:
        attach_tracker(lake, settings.database_url)
        proven = prove_copies(lake, through=through)
        count_removed = 0
        if proven:
            tracker = read_environment(TrackerSettings)
            count_removed = remove_archived(tracker, proven[-1].business_date)
        return ArchiveRound(proven, count_removed, copy_due_days(lake, through=through))
