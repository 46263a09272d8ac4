-- The payout of a day is what the running maximum of the employee's fees and rewards gained that
-- day.
-- asset: ledger.payouts
with days as (
    select
        account,
        business_date,
        sum(sum(amount_cents)) over (partition by account order by business_date) as earned_cents,
    from lake.ledger.postings
    where account not in ('company', 'cash')
        and kind <> 'payout'
        and business_date <= (select paid_through from scope)
    group by account, business_date
),

paid as (
    select
        account,
        business_date,
        greatest(0, max(earned_cents) over history) as paid_cents,
    from days
    window history as (partition by account order by business_date)
),

expected as (
    select
        account,
        business_date,
        (paid_cents - lag(paid_cents, 1, 0) over history)::bigint as amount_cents,
    from paid
    window history as (partition by account order by business_date)
    qualify amount_cents <> 0
),

found as (
    select employee_id::varchar as account, business_date, amount_cents
    from lake.ledger.payouts
)

select 'not paid' as fault, *
from (select * from expected except all select * from found)
union all
select 'paid, but not due' as fault, *
from (select * from found except all select * from expected)
