-- An employee has at most one payout a business day, it is positive, and its id is its own.
-- asset: ledger.payouts
select
    business_date,
    employee_id,
    entry_id,
    amount_cents,
from lake.ledger.payouts
qualify count(*) over (partition by business_date, employee_id) > 1
    or count(*) over (partition by entry_id) > 1
    or amount_cents <= 0
