-- One row per account and day, for the days that have several.
select
    account,
    business_date,
    sum(fees_cents)::bigint as fees_cents,
    sum(rewards_cents)::bigint as rewards_cents,
    sum(payouts_cents)::bigint as payouts_cents,
    sum(count_entries)::bigint as count_entries,
from ledger.account_days
where business_date in (
    select business_date
    from ledger.account_days
    group by business_date
    having count(*) > count(distinct account)
)
group by account, business_date
