-- One row per day paid now, days without a payout included.
with days as (
    select unnest(generate_series($first_date, $last_date, interval 1 day))::date as business_date
)

select
    days.business_date,
    count(new_payouts.entry_id) as count_payouts,
    coalesce(sum(new_payouts.amount_cents), 0)::bigint as payouts_cents,
    $paid_at as paid_at,
from days
left join new_payouts using (business_date)
group by days.business_date
order by days.business_date
