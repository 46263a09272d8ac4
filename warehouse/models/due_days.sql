-- Certified days from $first_date on, each with what the lake itself adds up to, discarded events
-- included: their day was certified with them. Oldest first.
with events as (
    select business_date, count(*) as count_events
    from raw.events
    where business_date >= $first_date and type <> 'business_day.closed'
    group by business_date
),

discarded as (
    select
        business_date,
        count(*) as count_events,
        sum(fee_cents) as fees_cents,
        sum(reward_cents) as rewards_cents,
    from raw.quarantine
    where settled_as = 'discarded' and business_date >= $first_date
    group by business_date
),

money as (
    select
        business_date,
        sum(fees_cents) as fees_cents,
        -sum(rewards_cents) as rewards_cents,
    from ledger.account_days
    where business_date >= $first_date and account = 'company'
    group by business_date
)

select
    certificates.business_date,
    certificates.last_position,
    certificates.count_events,
    certificates.fees_cents,
    certificates.rewards_cents,
    (coalesce(events.count_events, 0) + coalesce(discarded.count_events, 0))::bigint
        as found_count_events,
    (coalesce(money.fees_cents, 0) + coalesce(discarded.fees_cents, 0))::bigint
        as found_fees_cents,
    (coalesce(money.rewards_cents, 0) + coalesce(discarded.rewards_cents, 0))::bigint
        as found_rewards_cents,
    (
        select count(*)
        from raw.quarantine
        where position <= certificates.last_position and settled_as is null
    ) as count_waiting,
from ledger.certificates
left join events using (business_date)
left join discarded using (business_date)
left join money using (business_date)
where certificates.business_date >= $first_date
order by certificates.business_date
