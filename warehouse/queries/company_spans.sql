-- Two rows: what the days from $first to $last add up to, then those from $before to $first - 1.
with
spans as (
    select 1 as number, $first::date as first_date, $last::date as last_date
    union all
    select 2 as number, $before::date as first_date, $first::date - 1 as last_date
)

select
    coalesce(sum(fees_cents), 0)::bigint as fees_cents,
    coalesce(sum(rewards_cents), 0)::bigint as rewards_cents,
    coalesce(sum(earnings_cents), 0)::bigint as earnings_cents,
    coalesce(sum(payouts_cents), 0)::bigint as payouts_cents,
    count(*) filter (earnings_cents < 0) as count_negative_days,
from spans
left join marts.company_days as day
    on day.business_date between spans.first_date and spans.last_date
    and day.business_date between $before and $last
group by spans.number
order by spans.number
