-- One row: what all entries of $account in the days $first to $last come to, which of these days
-- hold the page of $count_max entries behind the newest $count_skipped, how many entries of those
-- days come before it, and what the account held at the end of the last of them. Days and counts are
-- kept, so the ledger need not be read for them.
with
counted as (
    select
        business_date,
        sum(fees_cents) as fees_cents,
        sum(rewards_cents) as rewards_cents,
        sum(payouts_cents) as payouts_cents,
        sum(count_entries) as count_entries,
        sum(sum(count_entries)) over (order by business_date desc) as count_through,
    from ledger.account_days
    where account = $account and business_date <= $last
    group by business_date
)

select
    coalesce(sum(count_entries) filter (business_date >= $first), 0)::bigint as count_matching,
    coalesce(sum(fees_cents) filter (business_date >= $first), 0)::bigint as fees_cents,
    coalesce(sum(rewards_cents) filter (business_date >= $first), 0)::bigint as rewards_cents,
    coalesce(sum(payouts_cents) filter (business_date >= $first), 0)::bigint as payouts_cents,
    coalesce(
        sum(fees_cents + rewards_cents + payouts_cents) filter (business_date >= $first), 0
    )::bigint as total_cents,
    min(business_date) filter (
        business_date >= $first and count_through - count_entries < $count_skipped + $count_max
    ) as first_date,
    max(business_date) filter (business_date >= $first and count_through > $count_skipped)
        as last_date,
    $count_skipped::bigint - coalesce(
        max(count_through) filter (count_through <= $count_skipped), 0
    )::bigint as count_skipped,
    coalesce(
        sum(fees_cents + rewards_cents + payouts_cents) filter (count_through > $count_skipped), 0
    )::bigint as closing_cents,
from counted
