-- One row per business day from $first to $last with any entry.
select
    business_date,
    fees_cents,
    rewards_cents,
    earnings_cents,
    payouts_cents,
from marts.company_days
where business_date between $first and $last
order by business_date
