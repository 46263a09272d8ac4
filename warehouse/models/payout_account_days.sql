-- What the new payouts add to each account and day, signed as in the postings.
select
    employee_id::varchar as account,
    business_date,
    0::bigint as fees_cents,
    0::bigint as rewards_cents,
    -amount_cents as payouts_cents,
    1::bigint as count_entries,
from new_payouts
union all
select
    'cash' as account,
    business_date,
    0::bigint as fees_cents,
    0::bigint as rewards_cents,
    sum(amount_cents)::bigint as payouts_cents,
    count(*) as count_entries,
from new_payouts
group by business_date
