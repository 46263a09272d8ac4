-- One row: what the days from $first to $last add up to.
select
    coalesce(sum(fees_cents), 0)::bigint as fees_cents,
    coalesce(sum(rewards_cents), 0)::bigint as rewards_cents,
    coalesce(sum(earnings_cents), 0)::bigint as earnings_cents,
    coalesce(sum(payouts_cents), 0)::bigint as payouts_cents,
    count(*) filter (earnings_cents < 0) as count_negative_days,
from lake.marts.company_days
where business_date between $first and $last
