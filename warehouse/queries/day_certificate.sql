-- The certificate of $business_date, if it is closed, beside what the lake holds of that day.
with
events as (
    select count(*) as count_events
    from lake.raw.events
    where business_date = $business_date and type <> 'business_day.closed'
),

money as (
    select
        coalesce(sum(fees_cents), 0)::bigint as fees_cents,
        coalesce(-sum(rewards_cents), 0)::bigint as rewards_cents,
    from ledger.account_days
    where business_date = $business_date and account = 'company'
)

select
    certificate.last_position,
    certificate.closed_at,
    paid.paid_at,
    certificate.count_events,
    events.count_events as found_count_events,
    certificate.fees_cents,
    money.fees_cents as found_fees_cents,
    certificate.rewards_cents,
    money.rewards_cents as found_rewards_cents,
from ledger.certificates as certificate
cross join events
cross join money
left join ledger.paid_days as paid on paid.business_date = certificate.business_date
where certificate.business_date = $business_date
