-- One row per leg of a journal entry; account is an employee id, company or cash.
select
    entry_id,
    event_id,
    kind,
    account,
    amount_cents,
    business_date,
    occurred_at,
    task_id,
    title,
from lake.ledger.postings
order by business_date, occurred_at, entry_id, amount_cents
