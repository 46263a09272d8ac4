-- One row per business day up to $last on which $account moved, and of the days before $first only
-- the last one: how it moved, and what it held after. On each row the sums of $span_first to
-- $span_last.
select
    business_date,
    sum(fees_cents)::bigint as fees_cents,
    sum(rewards_cents)::bigint as rewards_cents,
    sum(payouts_cents)::bigint as payouts_cents,
    sum(count_entries)::bigint as count_entries,
    sum(sum(fees_cents + rewards_cents + payouts_cents)) over in_order::bigint as closing_cents,
    coalesce(
        sum(sum(fees_cents)) filter (business_date between $span_first and $span_last) over (), 0
    )::bigint as span_fees_cents,
    coalesce(
        sum(sum(rewards_cents)) filter (business_date between $span_first and $span_last) over (), 0
    )::bigint as span_rewards_cents,
    coalesce(
        sum(sum(payouts_cents)) filter (business_date between $span_first and $span_last) over (), 0
    )::bigint as span_payouts_cents,
from ledger.account_days
where account = $account and business_date <= $last
group by business_date
window in_order as (order by business_date)
qualify lead(business_date, 1, $last::date + 1) over in_order >= $first
order by business_date
