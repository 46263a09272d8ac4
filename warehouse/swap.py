"""Puts the rows of a lake built anew in the place of the lake's own, within one transaction.

What the log cannot tell stays: when days were paid, stray records, and the history of quarantined
ones.
"""

import duckdb

from warehouse.durability import sync_new_files
from warehouse.lake_tables import FOLLOWING_FROM_THE_LOG, Keeping, LakeTable

_QUARANTINE = """
update lake.raw.quarantine set settled_as = 'retried', settled_at = now()
where position is not null and settled_as is distinct from 'retried'
    and position not in (select position from rebuilt.raw.quarantine);
insert into lake.raw.quarantine by name from rebuilt.raw.quarantine
where position not in (
    select position
    from lake.raw.quarantine
    where position is not null and settled_as is distinct from 'retried'
)
"""
_PAID_DAYS = """
create or replace temp table days_as_paid as
select rebuilt_day.* replace (coalesce(day.paid_at, rebuilt_day.paid_at) as paid_at)
from rebuilt.ledger.paid_days as rebuilt_day
left join lake.ledger.paid_days as day using (business_date);
delete from lake.ledger.paid_days;
insert into lake.ledger.paid_days by name from days_as_paid
"""
_SPECIAL = {"raw.quarantine": _QUARANTINE, "ledger.paid_days": _PAID_DAYS}


def swap_in(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace the rows of every table that follows from the log; the caller owns the transaction.

    A lake that has come exactly as far is attached as `rebuilt`. Raises RivalError, here or at the
    commit, when ingest or payouts wrote meanwhile.
    """
    for state in ("ingest_state", "payout_state"):
        changed = connection.execute(f"update lake.ops.{state} set epoch = epoch + 1").fetchone()  # noqa: S608 - ours
        assert changed == (1,), f"ops.{state} must have a row"
    for table in FOLLOWING_FROM_THE_LOG:
        if table.keeping is not Keeping.STATE:
            connection.execute(_SPECIAL.get(table.full_name) or _replacement(table))
    sync_new_files(connection)


def _replacement(table: LakeTable) -> str:
    name = table.full_name
    return f"delete from lake.{name}; insert into lake.{name} by name from rebuilt.{name}"  # noqa: S608 - ours
