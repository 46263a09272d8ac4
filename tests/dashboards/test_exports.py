"""Downloads: opened as their reader would, added up, and refused to whoever may not have them."""

import csv
import datetime as dt
import io
from decimal import Decimal

import openpyxl
import pytest
import requests

from dashboards.tables import Table, csv_of, xlsx_of
from tests.dashboards.ledger import BEFORE, TODAY, YESTERDAY
from tests.dashboards.tracker import Tracker

SPAN = f"first={BEFORE}&last={TODAY}"


def fetch(served: str, tracker: Tracker, role: str | None, path: str) -> requests.Response:
    cookies = tracker.cookies_of(role) if role else {}
    return requests.get(f"{served}/export/{path}", cookies=cookies, timeout=30)


def rows_of(answer: requests.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_own_entries_as_csv_add_up_to_the_balance(served: str, tracker: Tracker) -> None:
    answer = fetch(served, tracker, "worker", f"entries.csv?{SPAN}")

    rows = rows_of(answer)
    assert sum(Decimal(row["Amount"]) for row in rows) == Decimal("-12.00")
    assert rows[0]["Balance after"] == "-12.00"
    assert rows[-1]["Task"] == "'=1+1 wash the cage"
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="entries-{BEFORE}-{TODAY}.csv"'
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_own_entries_follow_the_filter(served: str, tracker: Tracker) -> None:
    rows = rows_of(
        fetch(served, tracker, "worker", f"entries.csv?{SPAN}&kinds=fee,reward&text=POPUG-7")
    )

    assert [row["Amount"] for row in rows] == ["40.00", "-15.00"]


def test_a_statement_as_xlsx_has_numbers_and_dates(served: str, tracker: Tracker) -> None:
    answer = fetch(served, tracker, "worker", f"statement.xlsx?{SPAN}")

    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    header, *rows = sheet.iter_rows(values_only=True)
    assert header == ("Day", "Opening", "Fees", "Rewards", "Paid out", "Closing")
    assert [row[1:] for row in rows] == [
        (0, -15, 0, 0, -15), (-15, 0, 40, -25, 0), (0, -12, 0, 0, -12),
    ]  # fmt: skip
    assert rows[0][0] == dt.datetime.combine(BEFORE, dt.time())


def test_the_companys_files_add_up_to_its_page(served: str, tracker: Tracker) -> None:
    days = rows_of(fetch(served, tracker, "accountant", f"company-days.csv?{SPAN}"))
    balances = rows_of(fetch(served, tracker, "admin", "balances.csv"))
    entries = rows_of(fetch(served, tracker, "admin", f"company-entries.csv?day={YESTERDAY}"))
    payouts = rows_of(fetch(served, tracker, "admin", f"payouts.csv?day={YESTERDAY}"))

    assert [row["Earnings"] for row in days] == ["35.00", "-30.00", "-9.50"]
    assert sum(Decimal(row["Paid out"]) for row in days) == Decimal(25)
    assert [(row["Employee"], row["Balance"]) for row in balances] == [
        ("Anna", "-12.00"), ("Boris", "-8.50"),
    ]  # fmt: skip
    assert sum(Decimal(row["For the company"]) for row in entries) == Decimal(-30)
    assert [(row["Employee"], row["Paid"]) for row in payouts] == [("Anna", "25.00")]


def test_ones_own_payouts_name_their_entries(served: str, tracker: Tracker) -> None:
    [row] = rows_of(fetch(served, tracker, "worker", f"own-payouts.csv?{SPAN}"))

    assert (row["Day"], row["Paid"], row["E-mail"]) == (str(YESTERDAY), "25.00", "none planned")


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        (None, "balances.csv", 403),
        ("worker", f"company-entries.xlsx?day={TODAY}", 403),
        ("admin", "secrets.csv", 404),
        ("admin", "balances.pdf", 404),
        ("worker", "entries.csv", 400),
        ("worker", "entries.csv?first=x&last=y", 400),
        ("worker", f"statement.csv?first={TODAY}&last={BEFORE}", 400),
        ("admin", "payouts.csv?day=yesterday", 400),
    ],
)
def test_who_may_not_have_a_file_gets_a_sentence(
    served: str, tracker: Tracker, role: str | None, path: str, status: int
) -> None:
    answer = fetch(served, tracker, role, path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert len(answer.text) > 10


def test_one_gets_ones_own_account_whoever_one_is(served: str, tracker: Tracker) -> None:
    assert rows_of(fetch(served, tracker, "admin", f"entries.csv?{SPAN}")) == []


def test_no_text_becomes_a_formula_in_any_file() -> None:
    texts = ["=1+1", "+1", "-1", "@sum", "\t=1", "plain"]
    table = Table(
        file_name="t", title="T", columns=["a", "b"],
        rows=[[text, Decimal("-1.50")] for text in texts],
    )  # fmt: skip

    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_of(table))).active
    assert sheet is not None
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    in_csv = list(csv.reader(io.StringIO(csv_of(table).decode(), newline="")))[1:]

    assert [cell.value for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}
    assert [row[0] for row in in_csv] == [f"'{text}" for text in texts[:-1]] + ["plain"]
    assert {row[1] for row in in_csv} == {"-1.50"}
