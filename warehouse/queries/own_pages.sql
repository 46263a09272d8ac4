-- One row: what all entries of $account in the days $first to $last come to, and which of these days
-- hold the page of $count_max entries behind the newest $count_skipped, and how many entries of those
-- days come before it. Days and counts are kept, so the ledger need not be read for them.
with
days as (
    select
        business_date,
        sum(fees_cents) as fees_cents,
        sum(rewards_cents) as rewards_cents,
        sum(payouts_cents) as payouts_cents,
        sum(count_entries) as count_entries,
    from ledger.account_days
    where account = $account and business_date between $first and $last
    group by business_date
),

counted as (
    select
        *,
        sum(count_entries) over (order by business_date desc) as count_through,
    from days
)

select
    coalesce(sum(count_entries), 0)::bigint as count_matching,
    coalesce(sum(fees_cents), 0)::bigint as fees_cents,
    coalesce(sum(rewards_cents), 0)::bigint as rewards_cents,
    coalesce(sum(payouts_cents), 0)::bigint as payouts_cents,
    coalesce(sum(fees_cents + rewards_cents + payouts_cents), 0)::bigint as total_cents,
    min(business_date) filter (
        count_through - count_entries < $count_skipped + $count_max
    ) as first_date,
    max(business_date) filter (count_through > $count_skipped) as last_date,
    $count_skipped::bigint - coalesce(
        max(count_through) filter (count_through <= $count_skipped), 0
    )::bigint as count_skipped,
from counted
