-- One row: what moved $account in the days from $first to $last.
select
    coalesce(sum(fees_cents), 0)::bigint as fees_cents,
    coalesce(sum(rewards_cents), 0)::bigint as rewards_cents,
    coalesce(sum(payouts_cents), 0)::bigint as payouts_cents,
from ledger.account_days
where account = $account and business_date between $first and $last
