"""Payout runs that meet each other, meet ingest, or are killed."""

import datetime as dt
import os
import signal
import subprocess
import sys

import duckdb
import pytest

from tests.warehouse.test_payouts import payouts
from tests.warehouse.world import Broker, World
from warehouse.ingest import apply_batch
from warehouse.lake import connect
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings

Lake = duckdb.DuckDBPyConnection
NOON = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)


def test_of_two_payout_runs_one_steps_back(
    lake: Lake, world: World, lake_settings: LakeSettings
) -> None:
    world.live(days=5)
    apply_batch(lake, Broker().publish(world.log))
    rival = connect(lake_settings)

    lake.execute("begin")
    lake.execute("update ops.payout_state set epoch = epoch + 1")
    pay_due_days(rival)
    with pytest.raises(duckdb.TransactionException):
        lake.execute("commit")
    rival.close()

    assert pay_due_days(lake) == []
    assert payouts(lake) == world.payouts


def test_payouts_and_ingest_do_not_hinder_each_other(
    lake: Lake, world: World, lake_settings: LakeSettings
) -> None:
    world.live(days=3)
    broker = Broker()
    apply_batch(lake, broker.publish(world.log))
    done = len(world.log)
    world.work(10)
    ingester = connect(lake_settings)

    def clock() -> dt.datetime:  # called in the middle of the payout transaction
        apply_batch(ingester, broker.publish(world.log[done:]))
        return NOON

    pay_due_days(lake, clock=clock)
    ingester.close()

    assert payouts(lake) == world.payouts
    assert lake.execute("select contiguous_position from ops.ingest_state").fetchone() == (
        len(world.log),
    )


def test_a_payout_run_that_comes_second_pays_nothing(
    lake: Lake, world: World, lake_settings: LakeSettings
) -> None:
    world.live(days=3)
    apply_batch(lake, Broker().publish(world.log))
    rival = connect(lake_settings)

    def clock() -> dt.datetime:  # called in the middle of the payout transaction
        pay_due_days(rival)
        return NOON

    paid = pay_due_days(lake, clock=clock)
    rival.close()

    assert paid == []
    assert payouts(lake) == world.payouts
    assert lake.execute("select count(*) from ledger.paid_days").fetchone() == (3,)


@pytest.mark.faults
def test_killed_before_its_commit_a_payout_run_is_simply_run_again(
    lake: Lake, world: World, lake_environment: dict[str, str]
) -> None:
    world.live(days=4)
    apply_batch(lake, Broker().publish(world.log))
    program = (
        "from contracts.environment import read_environment\n"
        "from warehouse.lake import connect\n"
        "from warehouse.payouts import pay_due_days\n"
        "from warehouse.settings import LakeSettings\n"
        "pay_due_days(connect(read_environment(LakeSettings)))\n"
    )

    for step, expected in (("before-payout-commit", 0), ("after-payout-commit", 4)):
        environment = os.environ | lake_environment | {"CRASH_AT": step}
        killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
        assert killed.returncode == -signal.SIGKILL
        count = lake.execute("select count(*) from ledger.paid_days").fetchone()
        assert count == (expected,), step

    assert pay_due_days(lake) == []
    assert payouts(lake) == world.payouts
