-- Every payout has one journal entry of the same employee, day and amount; there is no other payout
-- entry.
-- asset: ledger.payouts
with entries as (
    select
        entry_id,
        business_date,
        account,
        -amount_cents as amount_cents,
    from lake.ledger.postings
    where kind = 'payout' and account <> 'cash'
),

payouts as (
    select
        entry_id,
        business_date,
        employee_id::varchar as account,
        amount_cents,
    from lake.ledger.payouts
)

select 'payout without this entry' as fault, *
from (select * from payouts except all select * from entries)
union all
select 'entry without this payout' as fault, *
from (select * from entries except all select * from payouts)
