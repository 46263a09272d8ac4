-- One row per business day from $first to $last, days without any entry included.
with
calendar as (
    select unnest(generate_series($first::date, $last::date, interval 1 day))::date as business_date
),

moved as (
    select *
    from marts.company_days
    where business_date between $first and $last
),

certified as (
    select distinct business_date
    from ledger.certificates
    where business_date between $first and $last
)

select
    calendar.business_date,
    coalesce(moved.fees_cents, 0) as fees_cents,
    coalesce(moved.rewards_cents, 0) as rewards_cents,
    coalesce(moved.earnings_cents, 0) as earnings_cents,
    coalesce(moved.payouts_cents, 0) as payouts_cents,
    certified.business_date is not null as is_closed,
from calendar
left join moved on moved.business_date = calendar.business_date
left join certified on certified.business_date = calendar.business_date
order by calendar.business_date
