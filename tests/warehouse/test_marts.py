"""The analysts' marts are described, add up, and agree with the ledger."""

from collections.abc import Iterator

import duckdb
import pytest

from tests.warehouse.world import World
from warehouse.ingest import apply_missing
from warehouse.lake import connect, create_tables
from warehouse.marts import Mart, check_mart, count_rows, create_marts, read_marts
from warehouse.payouts import pay_due_days
from warehouse.settings import LakeSettings

Lake = duckdb.DuckDBPyConnection
MARTS = {mart.name: mart for mart in read_marts()}


@pytest.fixture(scope="module")
def company() -> World:
    world = World(5)
    world.hire(4)
    world.live(days=40, steps=25)
    world.create_task("[POPUG-9] - never finished", version=1)
    world.reassign_all()
    return world


@pytest.fixture(scope="module")
def busy(company: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder = tmp_path_factory.mktemp("marts")
    settings = LakeSettings(
        lake_catalog_url=f"duckdb:///{folder / 'catalog'}", lake_data_path=str(folder / "lake")
    )
    with connect(settings) as lake:
        create_tables(lake)
        apply_missing(lake, company.log)
        pay_due_days(lake)
        yield lake


def one(lake: Lake, query: str) -> object:
    row = lake.execute(query).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


@pytest.mark.parametrize("mart", MARTS.values(), ids=lambda mart: mart.name)
def test_every_column_is_described_and_every_rule_holds(busy: Lake, mart: Mart) -> None:
    found = busy.execute(f"from marts.{mart.name} limit 0").description or ()

    assert [column[0] for column in found] == list(mart.columns)
    assert set(mart.grain) <= set(mart.columns)
    assert count_rows(busy, mart) > 0
    assert [each for each in check_mart(busy, mart) if each.count_offending] == []
    comment = one(busy, f"select comment from duckdb_views() where view_name = '{mart.name}'")
    assert comment == mart.description


def test_the_marts_agree_with_the_books(busy: Lake, company: World) -> None:
    earnings = dict(
        busy.execute(
            "select business_date, earnings_cents from marts.earnings_decomposition"
        ).fetchall()
    )
    debts = -sum(each for each in company.balances.values() if each < 0)

    assert {**company.earnings, **earnings} == company.earnings
    assert sum(earnings.values()) == sum(company.earnings.values())
    assert one(busy, "select sum(unpaid_cents) from marts.debt_cohorts") == debts > 0
    assert one(busy, "select count(*) from marts.task_lifecycles where not is_done") == len(
        company.tasks
    )
    assert one(busy, "select sum(company_net_cents) from marts.task_lifecycles") == sum(
        company.earnings.values()
    )
    assert one(busy, "select -sum(net_cents) from marts.daily_productivity") == sum(
        company.earnings.values()
    )
    assert one(busy, "select sum(fees_cents) from marts.reassignment_flows") == one(
        busy, "select sum(reassignment_fees_cents) from marts.earnings_decomposition"
    )
    assert one(busy, "select jira_id from marts.task_lifecycles where jira_id is not null") == (
        "POPUG-9"
    )


def test_a_row_that_breaks_a_rule_is_counted(busy: Lake) -> None:
    busy.begin()
    try:
        busy.execute(
            "update ledger.postings set amount_cents = amount_cents - 100 where kind = 'fee'"
            " and position = (select max(position) from ledger.postings where kind = 'fee')"
            " and account <> 'company'"
        )
        findings = {
            each.test: each.count_offending
            for each in check_mart(busy, MARTS["task_lifecycles"])
            if each.count_offending
        }
    finally:
        busy.rollback()

    assert findings == {"the fee is charged at each assignment": 1}


def test_views_are_written_anew(busy: Lake) -> None:
    busy.execute("create or replace view marts.debt_cohorts as select 1 as old")

    create_marts(busy)

    assert one(busy, "select min(cohort_month) from marts.debt_cohorts") is not None
