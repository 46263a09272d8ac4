"""The lake's tables are described by the SQL that makes them."""

from warehouse.catalog import read_tables
from warehouse.checks import read_checks


def test_every_table_says_what_a_row_is_and_every_column_what_it_holds() -> None:
    for name, table in read_tables().items():
        assert table.comment, f"{name} has no comment"
        assert table.columns
        unsaid = [each.name for each in table.columns if not each.comment]
        assert not unsaid, f"{name} has columns without a comment"


def test_columns_come_with_type_comment_and_whether_they_may_be_null() -> None:
    columns = {each.name: each for each in read_tables()["raw.quarantine"].columns}

    assert columns["record"].data_type == "BLOB"
    assert columns["record"].is_nullable
    assert "bytes" in columns["record"].comment
    assert not columns["reason"].is_nullable


def test_a_view_names_the_tables_it_reads() -> None:
    assert read_tables()["marts.balances"].reads == ["ledger.account_days"]
    assert read_tables()["ledger.postings"].reads == []


def test_a_views_columns_are_described_by_lines_of_their_own_or_as_those_of_a_table() -> None:
    tables = read_tables()
    balance = tables["marts.balances"].columns[1]

    assert (balance.name, balance.comment) == (
        "balance_cents",
        "What it holds now; negative: a debt",
    )
    assert [each.comment for each in tables["marts.completions"].columns] == [
        each.comment for each in tables["marts.finished_tasks"].columns
    ]


def test_a_check_names_a_table_of_the_lake_the_tracker_or_the_mail() -> None:
    for check in read_checks():
        schema = check.asset.partition(".")[0]
        assert check.asset in read_tables() or schema in ("tracker", "mail"), check.name
        assert "asset:" not in check.statement
