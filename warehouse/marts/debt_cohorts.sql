with balances as (
    select
        account,
        business_date,
        sum(sum(fees_cents + rewards_cents + payouts_cents))
            over (partition by account order by business_date) as balance_cents,
    from ledger.account_days
    where account not in ('company', 'cash')
    group by account, business_date
),

turns as (
    select
        *,
        balance_cents < 0 and coalesce(
            lag(balance_cents) over (partition by account order by business_date) >= 0, true
        ) as is_begin,
    from balances
),

numbered as (
    select
        *,
        count(*) filter (is_begin) over (partition by account order by business_date) as number,
    from turns
),

debts as (
    select
        account,
        min(business_date) as began_on,
        min(business_date) filter (balance_cents >= 0) as cleared_on,
        -min(balance_cents) as deepest_cents,
        -arg_max(balance_cents, business_date) filter (balance_cents < 0) as last_cents,
    from numbered
    where number > 0
    group by account, number
)

select
    date_trunc('month', began_on)::date as cohort_month,
    count(*) as count_began,
    count(*) filter (cleared_on - began_on <= 7) as count_cleared_within_7_days,
    count(*) filter (cleared_on - began_on <= 30) as count_cleared_within_30_days,
    count(cleared_on) as count_cleared,
    count(*) filter (cleared_on is null) as count_unpaid,
    coalesce(sum(last_cents) filter (cleared_on is null), 0)::bigint as unpaid_cents,
    max(deepest_cents)::bigint as deepest_cents,
from debts
group by cohort_month
