-- Accounts and paid days whose balance at the end of the day is not what the rule says: zero after
-- a payout, and never positive. Read from the kept sums, payouts just made included; must be empty.
with days as (
    select
        account,
        business_date,
        sum(payouts_cents) as payouts_cents,
        sum(sum(fees_cents + rewards_cents + payouts_cents))
            over (partition by account order by business_date) as balance_cents,
    from ledger.account_days
    where business_date <= $last_date and account not in ('company', 'cash')
    group by account, business_date
)

select account, business_date, balance_cents
from days
where business_date >= $first_date
    and (balance_cents > 0 or (payouts_cents <> 0 and balance_cents <> 0))
limit 1
