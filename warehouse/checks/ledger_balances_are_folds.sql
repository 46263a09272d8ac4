-- Every account's kept sums are the fold of its postings, day by day and kind by kind.
-- asset: ledger.account_days
with kept as (
    select
        account,
        business_date,
        sum(fees_cents) as fees_cents,
        sum(rewards_cents) as rewards_cents,
        sum(payouts_cents) as payouts_cents,
        sum(count_entries) as count_entries,
    from lake.ledger.account_days
    group by account, business_date
),

folded as (
    select
        account,
        business_date,
        coalesce(sum(amount_cents) filter (kind = 'fee'), 0) as fees_cents,
        coalesce(sum(amount_cents) filter (kind = 'reward'), 0) as rewards_cents,
        coalesce(sum(amount_cents) filter (kind = 'payout'), 0) as payouts_cents,
        count(*) as count_entries,
    from lake.ledger.postings
    group by account, business_date
)

select 'kept, but not in the postings' as fault, *
from (select * from kept except all select * from folded)
union all
select 'in the postings, but not kept' as fault, *
from (select * from folded except all select * from kept)
