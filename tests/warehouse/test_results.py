"""What the checks found is kept: the newest result counts, a month is remembered."""

import datetime as dt

import duckdb
import pytest

from warehouse import results
from warehouse.checks import Finding
from warehouse.lake import connect
from warehouse.results import RESULTS_KEPT, keep_results, read_results
from warehouse.settings import LakeSettings

Lake = duckdb.DuckDBPyConnection
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

HOLDS = Finding("ledger_sums_to_zero", "The whole ledger sums to zero.", 0, [])
FAILS = Finding(
    "ledger_sums_to_zero", "The whole ledger sums to zero.", 2, [{"sum_cents": 7}, {"sum_cents": 9}]
)
OTHER = Finding("prices_never_change", "Prices never change.", 0, [])


def test_the_newest_result_of_a_check_counts_and_an_earlier_failure_is_remembered(
    lake: Lake,
) -> None:
    keep_results(lake, [FAILS, OTHER], checked_by="dagster", clock=lambda: NOON)
    [failing, other] = read_results(lake)
    assert (failing.name, failing.holds, failing.sample) == (FAILS.name, False, "sum_cents=7")
    assert (other.name, other.holds, other.failed_at) == (OTHER.name, True, None)

    keep_results(lake, [HOLDS], checked_by="verify", clock=lambda: NOON + HOUR)
    [held, other] = read_results(lake)
    assert (held.holds, held.checked_at, held.checked_by) == (True, NOON + HOUR, "verify")
    assert (held.failed_at, held.sample) == (NOON, "")
    assert (other.checked_at, other.checked_by) == (NOON, "dagster")


def test_results_older_than_a_month_are_let_go(lake: Lake) -> None:
    keep_results(lake, [FAILS, OTHER], checked_by="verify", clock=lambda: NOON)
    keep_results(lake, [HOLDS], checked_by="verify", clock=lambda: NOON + RESULTS_KEPT + HOUR)

    [result] = read_results(lake)
    assert (result.name, result.failed_at) == (HOLDS.name, None)


def test_whoever_comes_second_to_the_same_old_rows_tries_again(
    lake: Lake, lake_settings: LakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_results(lake, [OTHER], checked_by="verify", clock=lambda: NOON)
    later = NOON + RESULTS_KEPT + HOUR
    original = results.sync_new_files

    def sync_after_a_rival(connection: Lake) -> int:
        monkeypatch.setattr(results, "sync_new_files", original)
        with connect(lake_settings) as rival:
            keep_results(rival, [FAILS], checked_by="dagster", clock=lambda: later)
        return original(connection)

    monkeypatch.setattr(results, "sync_new_files", sync_after_a_rival)
    keep_results(lake, [OTHER], checked_by="verify", clock=lambda: later)

    assert [(each.name, each.checked_at) for each in read_results(lake)] == [
        (FAILS.name, later),
        (OTHER.name, later),
    ]


def test_before_the_first_run_there_is_no_result(lake: Lake) -> None:
    assert read_results(lake) == []
