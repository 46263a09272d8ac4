"""Paid days, written into a real lake as ingest and payouts would have left them."""

import datetime as dt
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import duckdb
import pyarrow as pa

FIRST_DAY = dt.date(2026, 11, 1)
FEE_CENTS = -1_000
REWARD_CENTS = 3_000


def employee_id(number: int) -> UUID:
    """The same id for the same number."""
    return uuid5(NAMESPACE_URL, f"employee/{number}")


def payout_id(date: dt.date, number: int) -> UUID:
    """The entry id of an employee's payout of a day."""
    return uuid5(NAMESPACE_URL, f"{date}/{number}")


def add_employees(
    lake: duckdb.DuckDBPyConnection, count: int, email: str = "e{}@example.com", first: int = 0
) -> None:
    """Employees numbered from `first`, named `Employee 0` and so on."""
    lake.executemany(
        "insert into lake.marts.employee_versions values (?, ?, null, ?, ?, 'worker', true, 1)",
        [
            (employee_id(number), 1, f"Employee {number}", email.format(number))
            for number in range(first, first + count)
        ],
    )


def change_email(lake: duckdb.DuckDBPyConnection, number: int, email: str) -> None:
    """A later state of an employee, with another address."""
    lake.execute(
        "insert into lake.marts.employee_versions values (?, 2, null, ?, ?, 'worker', true, 2)",
        [employee_id(number), f"Employee {number}", email],
    )


def pay_day(
    lake: duckdb.DuckDBPyConnection,
    date: dt.date,
    count: int,
    *,
    title: str = "Sweep the cage",
    is_mail_wanted: bool = True,
    count_rewards: int = 1,
) -> None:
    """A certified and paid day: each of `count` employees has one fee and some rewards."""
    amount = FEE_CENTS + REWARD_CENTS * count_rewards
    postings = [
        (payout_id(date, number) if kind == "payout" else uuid4(), kind, number, cents)
        for number in range(count)
        for kind, cents in [
            ("fee", FEE_CENTS),
            *[("reward", REWARD_CENTS)] * count_rewards,
            ("payout", -amount),
        ]
    ]
    noon = dt.datetime.combine(date, dt.time(12), dt.UTC)
    rows = pa.table(
        {
            "entry_id": [str(row[0]) for row in postings],
            "kind": [row[1] for row in postings],
            "account": [str(employee_id(row[2])) for row in postings],
            "amount_cents": [row[3] for row in postings],
        }
    )
    lake.begin()
    lake.register("rows", rows)
    lake.execute(
        "insert into lake.ledger.postings select entry_id::uuid, null, kind, account,"
        " amount_cents, $date, $noon, null, if(kind = 'payout', null, $title), null from rows",
        {"date": date, "noon": noon, "title": title},
    )
    lake.execute(
        "insert into lake.ledger.account_days select account, $date,"
        " sum(amount_cents) filter (kind = 'fee'), sum(amount_cents) filter (kind = 'reward'),"
        " sum(amount_cents) filter (kind = 'payout'), count(*) from rows group by account",
        {"date": date},
    )
    lake.execute(
        "insert into lake.ledger.payouts select entry_id::uuid, $date, account::uuid,"
        " -amount_cents from rows where kind = 'payout'",
        {"date": date},
    )
    lake.execute(
        "insert into lake.ledger.certificates values ($date, 0, 0, 0, 0, $wanted, 0, $noon)",
        {"date": date, "wanted": is_mail_wanted, "noon": noon},
    )
    lake.execute(
        "insert into lake.ledger.paid_days values ($date, $count, $sum, $noon)",
        {"date": date, "count": count, "sum": count * amount, "noon": noon},
    )
    lake.execute("update lake.ops.payout_state set paid_through = $1", [date])
    lake.commit()
    lake.unregister("rows")
