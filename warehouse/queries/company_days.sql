-- One row per business day from $first to $last, days without any entry included.
with
calendar as (
    select unnest(generate_series($first::date, $last::date, interval 1 day))::date as business_date
),

certified as (
    select distinct business_date from lake.ledger.certificates
)

select
    calendar.business_date,
    coalesce(company_day.fees_cents, 0) as fees_cents,
    coalesce(company_day.rewards_cents, 0) as rewards_cents,
    coalesce(company_day.earnings_cents, 0) as earnings_cents,
    coalesce(company_day.payouts_cents, 0) as payouts_cents,
    certified.business_date is not null as is_closed,
from calendar
left join lake.marts.company_days as company_day
    on company_day.business_date = calendar.business_date
left join certified
    on certified.business_date = calendar.business_date
order by calendar.business_date
