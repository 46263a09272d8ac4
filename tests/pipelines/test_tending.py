"""Upkeep that fell due as a window ended is done in the next one."""

from pipelines.ingest.tending import Tending
from warehouse.lake import connect
from warehouse.settings import LakeSettings
from warehouse.upkeep import COMMITS_BETWEEN_ROUNDS, COMMITS_BETWEEN_SWEEPS


def test_what_is_due_is_done_once_and_a_round_is_not_lost_to_a_later_sweep(
    lake_settings: LakeSettings,
) -> None:
    tending = Tending()
    with connect(lake_settings) as lake:
        tending.note(COMMITS_BETWEEN_SWEEPS - 1)
        assert tending.work(lake) == []

        for epoch in range(COMMITS_BETWEEN_ROUNDS, COMMITS_BETWEEN_ROUNDS + 20):
            tending.note(epoch)
        assert [each.is_round for each in tending.work(lake)] == [True]
        assert tending.work(lake) == []

        tending.note(COMMITS_BETWEEN_ROUNDS + COMMITS_BETWEEN_SWEEPS)
        assert [each.is_round for each in tending.work(lake)] == [False]
