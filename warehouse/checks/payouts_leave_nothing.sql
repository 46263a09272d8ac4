-- Day by day: a positive balance is paid out whole and then zero; zero or a debt is carried on
-- unchanged.
-- asset: ledger.payouts
with days as (
    select
        account,
        business_date,
        sum(amount_cents) filter (kind <> 'payout') as earned_cents,
        sum(amount_cents) filter (kind = 'payout') as paid_cents,
        sum(sum(amount_cents)) over (partition by account order by business_date) as closing_cents,
    from lake.ledger.postings
    where account not in ('company', 'cash')
        and business_date <= (select paid_through from scope)
    group by account, business_date
)

select
    account,
    business_date,
    (closing_cents - coalesce(paid_cents, 0))::bigint as balance_before_cents,
    coalesce(paid_cents, 0)::bigint as paid_cents,
    closing_cents::bigint as closing_cents,
from days
where coalesce(paid_cents, 0) <> -greatest(0, closing_cents - coalesce(paid_cents, 0))
